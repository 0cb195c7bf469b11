//! Trust stores: which anchors a client has, found by name without reading the whole store.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Anchor, Certificate, Memo};
use crate::knowledge::{distrust, mozilla};

/// Trust anchors by name. A certificate of it is read only when it bears on a chain.
#[derive(Debug)]
pub struct Store {
    /// Name by which client profiles refer to it: `system`, `mozilla`, `java`; `given` for the user's own.
    pub name: String,
    /// Where it comes from: a path, or whose it is.
    pub source: String,
    /// How many certificates it holds; more than are here where only those that bear on a chain were kept.
    pub total: usize,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// DER of the subject.
    subject: Vec<u8>,
    der: Vec<u8>,
    read: OnceLock<Arc<Certificate>>,
}

impl Store {
    /// A store of these certificates (DER). What has no subject that can be found is left out: no path could end there.
    pub fn new(name: &str, source: &str, certificates: impl IntoIterator<Item = Vec<u8>>) -> Store {
        let entries: Vec<Entry> = certificates
            .into_iter()
            .filter_map(|der| Some(Entry { subject: subject(&der)?.to_vec(), der, read: OnceLock::new() }))
            .collect();
        Store { name: name.to_owned(), source: source.to_owned(), total: entries.len(), entries }
    }

    /// The roots of Mozilla's programme, as shipped with this program.
    pub fn mozilla() -> &'static Store {
        static STORE: OnceLock<Store> = OnceLock::new();
        STORE.get_or_init(|| {
            let roots = mozilla::mozilla_roots().map(<[u8]>::to_vec);
            Store::new("mozilla", "Mozilla's root programme, as shipped with tlswhy", roots)
        })
    }

    /// The anchors with one of these subjects (DER), and those above them: an anchor may itself be issued by another.
    pub fn anchors(&self, subjects: &BTreeSet<Vec<u8>>) -> Vec<Anchor> {
        let mut wanted = subjects.clone();
        let mut taken = vec![false; self.entries.len()];
        let mut anchors = Vec::new();
        loop {
            let before = anchors.len();
            for (entry, taken) in self.entries.iter().zip(&mut taken) {
                if *taken || !wanted.contains(&entry.subject) {
                    continue;
                }
                *taken = true;
                let certificate = entry.read.get_or_init(|| Arc::new(Certificate::read(&entry.der)));
                wanted.insert(certificate.issuer.der.clone());
                anchors.push(Anchor {
                    certificate: Arc::clone(certificate),
                    distrust_after: distrust::distrust_after(&self.name, &certificate.sha256),
                });
            }
            if anchors.len() == before {
                return anchors;
            }
        }
    }

    /// Whether this very certificate is one of them.
    pub fn holds(&self, der: &[u8]) -> bool {
        self.entries.iter().any(|entry| entry.der == der)
    }
}

/// Certificates that were read already: the same one is seen in many attempts and judged for many clients.
#[derive(Debug, Default)]
pub struct Library(Mutex<HashMap<Vec<u8>, Arc<Certificate>>>);

impl Library {
    /// The certificate, read at the first time of asking.
    pub fn read(&self, der: &[u8]) -> Arc<Certificate> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shelf.get(der) {
            return Arc::clone(known);
        }
        let read = Arc::new(Certificate::read(der));
        shelf.insert(der.to_vec(), Arc::clone(&read));
        read
    }
}

/// The trust stores of an examination, and every certificate that was read in it.
#[derive(Debug, Default)]
pub struct Stores {
    /// What the user gave instead of every client's own.
    pub given: Option<Store>,
    /// Stores found on this machine, or kept in the evidence.
    pub named: Vec<Store>,
    /// Certificates read.
    pub library: Library,
    /// Signatures checked.
    pub signatures: Mutex<Memo>,
}

/// The store that stands for a client's.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a> {
    /// The store.
    pub store: &'a Store,
    /// Whether it is the client's own; otherwise Mozilla's stands in for one that is not known here.
    pub exact: bool,
}

impl Stores {
    /// The store of a client whose profile names its store so.
    pub fn of(&self, name: Option<&str>) -> Chosen<'_> {
        if let Some(given) = &self.given {
            return Chosen { store: given, exact: true };
        }
        if let Some(store) = self.named.iter().find(|store| Some(store.name.as_str()) == name) {
            return Chosen { store, exact: true };
        }
        Chosen { store: Store::mozilla(), exact: name == Some("mozilla") }
    }

    /// Every store that there is; Mozilla's unless the user gave one.
    pub fn all(&self) -> Vec<&Store> {
        match &self.given {
            Some(given) => vec![given],
            None => {
                let named = self.named.iter();
                let missing = !self.named.iter().any(|store| store.name == "mozilla");
                named.chain(missing.then(Store::mozilla)).collect()
            }
        }
    }
}

/// Certificates in what an issuer's address gave: one in DER, several in PEM, or a PKCS #7 bundle (RFC 5280 §4.2.2.1).
pub fn certificates_in(body: &[u8]) -> Vec<Vec<u8>> {
    const MOST: usize = 32;
    if subject(body).is_some() {
        return vec![body.to_vec()];
    }
    let pem = x509_parser::pem::Pem::iter_from_buffer(body).filter_map(Result::ok);
    let pem: Vec<Vec<u8>> = pem.filter(|block| block.label == "CERTIFICATE").take(MOST).map(|block| block.contents).collect();
    if pem.is_empty() { bundled(body).unwrap_or_default().into_iter().take(MOST).collect() } else { pem }
}

/// The certificates of a PKCS #7 SignedData (RFC 5652 §5.1).
fn bundled(body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (info, _) = element(body)?;
    let (_content_type, rest) = element(info.content)?;
    let (explicit, _) = element(rest)?;
    let (signed, _) = element(explicit.content)?;
    let mut rest = signed.content;
    while let Some((field, after)) = element(rest) {
        rest = after;
        if field.tag == 0xa0 {
            let mut certificates = Vec::new();
            let mut inside = field.content;
            while let Some((certificate, after)) = element(inside) {
                inside = after;
                certificates.push(certificate.whole.to_vec());
            }
            certificates.retain(|der| subject(der).is_some());
            return Some(certificates);
        }
    }
    None
}

/// The DER of a certificate's subject, found without reading the rest.
pub(crate) fn subject(der: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = element(der)?;
    let (fields, _) = element(certificate.content)?;
    // version [0] is optional; then serialNumber, signature, issuer, validity, subject.
    let (first, rest) = element(fields.content)?;
    let mut rest = if first.tag == 0xa0 { rest } else { fields.content };
    // A revocation list begins much alike.
    for tag in [0x02, 0x30, 0x30, 0x30] {
        let (field, after) = element(rest)?;
        if field.tag != tag {
            return None;
        }
        rest = after;
    }
    let (found, _) = element(rest)?;
    (found.tag == 0x30).then_some(found.whole)
}

struct Element<'a> {
    tag: u8,
    whole: &'a [u8],
    content: &'a [u8],
}

/// The first DER element and what follows it.
fn element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, &first) = (bytes.first()?, bytes.get(1)?);
    let (length, header) = match first {
        0..=0x7f => (usize::from(first), 2),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let length = bytes.get(2..2 + count)?.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
            (length, 2 + count)
        }
        _ => return None,
    };
    let end = header.checked_add(length)?;
    Some((Element { tag, whole: bytes.get(..end)?, content: bytes.get(header..end)? }, bytes.get(end..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_of_every_root_is_found_and_so_is_the_root() {
        let store = Store::mozilla();
        assert!(store.total > 100, "{}", store.total);
        for root in mozilla::mozilla_roots() {
            let subject = subject(root).unwrap().to_vec();
            assert_eq!(Certificate::read(root).subject.der, subject);
            let anchors = store.anchors(&BTreeSet::from([subject]));
            assert!(anchors.iter().any(|anchor| &*anchor.certificate.der == root));
        }
    }

    #[test]
    fn nonsense_has_no_subject() {
        for nonsense in [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 2, 0x30, 0]] {
            assert_eq!(subject(nonsense), None);
        }
    }
}
