//! One certificate of a chain, drafted and then signed: [`Draft`], [`Workshop`].

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::der::{bit_string, boolean, integer, oid, sequence, time, tlv};

/// Object identifiers of the extensions.
pub(super) const SUBJECT_KEY: &str = "2.5.29.14";
pub(super) const KEY_USAGE: &str = "2.5.29.15";
pub(super) const ALTERNATIVE_NAMES: &str = "2.5.29.17";
pub(super) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub(super) const NAME_CONSTRAINTS: &str = "2.5.29.30";
pub(super) const AUTHORITY_KEY: &str = "2.5.29.35";
pub(super) const EXTENDED_USAGE: &str = "2.5.29.37";
pub(super) const AUTHORITY_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
pub(super) const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";

/// Extended key usages.
pub(super) const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
pub(super) const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
pub(super) const ANY_USAGE: &str = "2.5.29.37.0";

/// Bits of keyUsage, the first bit first.
pub(super) const DIGITAL_SIGNATURE: u8 = 0x80;
pub(super) const KEY_ENCIPHERMENT: u8 = 0x20;
pub(super) const CERTIFICATE_SIGNING: u8 = 0x04;
pub(super) const LIST_SIGNING: u8 = 0x02;

/// A name in subjectAltName.
#[derive(Clone, Debug)]
pub(super) enum Alternative {
    Dns(String),
    Address([u8; 4]),
    Email(&'static str),
}

/// A certificate before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    subject: String,
    issuer: String,
    key: &'static str,
    signer: &'static str,
    digest: &'static str,
    starts_in_days: i64,
    ends_in_days: i64,
    version: u8,
    extensions: Vec<Extension>,
}

#[derive(Clone, Debug)]
struct Extension {
    oid: String,
    critical: bool,
    body: Vec<u8>,
}

impl Draft {
    /// A self-signed CA.
    pub(super) fn root(subject: &str) -> Draft {
        Draft::authority(subject, subject).key("root").signer("root")
    }

    /// A CA below another, whose key is `root`'s.
    pub(super) fn authority(subject: &str, issuer: &str) -> Draft {
        let draft = Draft {
            subject: subject.to_owned(),
            issuer: issuer.to_owned(),
            key: "intermediate",
            signer: "root",
            digest: "sha256",
            starts_in_days: -30,
            ends_in_days: 3000,
            version: 3,
            extensions: Vec::new(),
        };
        draft.authority_bits(None).usage(CERTIFICATE_SIGNING | LIST_SIGNING)
    }

    /// An end entity for a TLS server, below the key `intermediate`.
    pub(super) fn leaf(issuer: &str, names: &[Alternative]) -> Draft {
        let subject = match names.first() {
            Some(Alternative::Dns(name)) if !name.contains('*') => name.clone(),
            _ => "end entity".to_owned(),
        };
        let draft = Draft::authority(&subject, issuer).key("leaf").signer("intermediate").until(300);
        let draft = draft.extension(BASIC_CONSTRAINTS, true, sequence(&[])).usage(DIGITAL_SIGNATURE);
        draft.purposes(&[SERVER_AUTH]).named(names)
    }

    pub(super) fn subject(mut self, subject: &str) -> Draft {
        self.subject = subject.to_owned();
        self
    }

    pub(super) fn key(mut self, key: &'static str) -> Draft {
        self.key = key;
        self
    }

    pub(super) fn signer(mut self, signer: &'static str) -> Draft {
        self.signer = signer;
        self
    }

    pub(super) fn digest(mut self, digest: &'static str) -> Draft {
        self.digest = digest;
        self
    }

    /// Days from now; negative in the past.
    pub(super) fn from(mut self, days: i64) -> Draft {
        self.starts_in_days = days;
        self
    }

    /// Days from now; negative in the past.
    pub(super) fn until(mut self, days: i64) -> Draft {
        self.ends_in_days = days;
        self
    }

    /// X.509 version 1: no extensions at all.
    pub(super) fn version_1(mut self) -> Draft {
        self.version = 1;
        self
    }

    /// Puts an extension, in place of one of the same kind.
    pub(super) fn extension(mut self, oid: &str, critical: bool, body: Vec<u8>) -> Draft {
        self.extensions.retain(|one| one.oid != oid);
        self.extensions.push(Extension { oid: oid.to_owned(), critical, body });
        self
    }

    /// Leaves an extension out.
    pub(super) fn without(mut self, oid: &str) -> Draft {
        self.extensions.retain(|one| one.oid != oid);
        // The key identifiers are added when it is signed, unless an empty one stands here.
        self.extensions.push(Extension { oid: oid.to_owned(), critical: false, body: Vec::new() });
        self
    }

    pub(super) fn authority_bits(self, path_length: Option<u64>) -> Draft {
        let length = path_length.map(integer).unwrap_or_default();
        self.extension(BASIC_CONSTRAINTS, true, sequence(&[boolean(true), length]))
    }

    pub(super) fn usage(self, bits: u8) -> Draft {
        self.extension(KEY_USAGE, true, bit_string(&[bits], bits.trailing_zeros() as u8))
    }

    pub(super) fn purposes(self, purposes: &[&str]) -> Draft {
        let purposes: Vec<Vec<u8>> = purposes.iter().map(|purpose| oid(purpose)).collect();
        self.extension(EXTENDED_USAGE, false, sequence(&purposes))
    }

    pub(super) fn named(self, names: &[Alternative]) -> Draft {
        let names: Vec<Vec<u8>> = names
            .iter()
            .map(|name| match name {
                Alternative::Dns(name) => tlv(0x82, name.as_bytes()),
                Alternative::Address(address) => tlv(0x87, address),
                Alternative::Email(address) => tlv(0x81, address.as_bytes()),
            })
            .collect();
        self.extension(ALTERNATIVE_NAMES, false, sequence(&names))
    }

    /// Name constraints: one DNS subtree that is permitted or excluded.
    pub(super) fn constrained(self, permitted: bool, subtree: &str) -> Draft {
        let base = sequence(&[tlv(0x82, subtree.as_bytes())]);
        let body = sequence(&[tlv(if permitted { 0xa0 } else { 0xa1 }, &base)]);
        self.extension(NAME_CONSTRAINTS, true, body)
    }

    /// authorityInfoAccess with the address of the issuer's certificate.
    pub(super) fn issuer_at(self, url: &str) -> Draft {
        let access = sequence(&[oid("1.3.6.1.5.5.7.48.2"), tlv(0x86, url.as_bytes())]);
        self.extension(AUTHORITY_ACCESS, false, sequence(&[access]))
    }
}

/// Where keys and certificates are made.
#[derive(Debug)]
pub(super) struct Workshop {
    dir: PathBuf,
    /// SubjectPublicKeyInfo of each key.
    keys: BTreeMap<&'static str, Vec<u8>>,
    serial: u64,
    now: i64,
}

/// The keys and how `openssl genpkey` makes them. Chains share them: what tells their authorities apart is the names.
const KEYS: &[(&str, &str)] = &[
    ("root", "EC -pkeyopt ec_paramgen_curve:P-256"),
    ("other-root", "EC -pkeyopt ec_paramgen_curve:P-256"),
    ("intermediate", "EC -pkeyopt ec_paramgen_curve:P-256"),
    ("second", "EC -pkeyopt ec_paramgen_curve:P-256"),
    ("leaf", "EC -pkeyopt ec_paramgen_curve:P-256"),
    ("rsa-root", "RSA -pkeyopt rsa_keygen_bits:2048"),
    ("rsa-intermediate", "RSA -pkeyopt rsa_keygen_bits:2048"),
    ("rsa-leaf", "RSA -pkeyopt rsa_keygen_bits:2048"),
    ("weak", "RSA -pkeyopt rsa_keygen_bits:1024"),
];

impl Workshop {
    /// Makes the keys in `dir`.
    pub(super) fn new(dir: &Path) -> io::Result<Workshop> {
        let mut keys = BTreeMap::new();
        for (name, how) in KEYS {
            openssl(dir, &format!("genpkey -algorithm {how} -out {name}.key"))?;
            openssl(dir, &format!("pkey -in {name}.key -pubout -outform DER -out {name}.spki"))?;
            keys.insert(*name, fs::read(dir.join(format!("{name}.spki")))?);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs() as i64;
        Ok(Workshop { dir: dir.to_owned(), keys, serial: now as u64 * 1000, now })
    }

    /// The file of a key.
    pub(super) fn key_file(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.key"))
    }

    /// The certificate, DER.
    pub(super) fn sign(&mut self, draft: &Draft) -> io::Result<Vec<u8>> {
        self.serial += 1;
        let key = self.keys.get(draft.key).ok_or_else(|| io::Error::other(draft.key))?;
        let algorithm = algorithm(draft);
        let name = |common: &str| {
            let attribute = sequence(&[oid("2.5.4.3"), tlv(0x0c, common.as_bytes())]);
            let organisation = sequence(&[oid("2.5.4.10"), tlv(0x0c, b"tlswhy lab")]);
            sequence(&[tlv(0x31, &organisation), tlv(0x31, &attribute)])
        };
        let day = |days: i64| time(self.now + days * 86_400);
        let mut parts = vec![
            integer(self.serial),
            algorithm.clone(),
            name(&draft.issuer),
            sequence(&[day(draft.starts_in_days), day(draft.ends_in_days)]),
            name(&draft.subject),
            key.clone(),
        ];
        if draft.version == 3 {
            parts.insert(0, tlv(0xa0, &integer(2)));
            parts.push(tlv(0xa3, &sequence(&self.extensions(draft)?)));
        }
        let body = sequence(&parts);
        let signature = self.signature(draft, &body)?;
        Ok(sequence(&[body, algorithm, bit_string(&signature, 0)]))
    }

    fn extensions(&self, draft: &Draft) -> io::Result<Vec<Vec<u8>>> {
        let mut all = Vec::new();
        let has = |oid: &str| draft.extensions.iter().any(|one| one.oid == oid);
        if !has(SUBJECT_KEY) {
            all.push(Extension { oid: SUBJECT_KEY.to_owned(), critical: false, body: tlv(4, &identifier(draft.key)) });
        }
        if !has(AUTHORITY_KEY) {
            let body = sequence(&[tlv(0x80, &identifier(draft.signer))]);
            all.push(Extension { oid: AUTHORITY_KEY.to_owned(), critical: false, body });
        }
        all.extend(draft.extensions.iter().filter(|one| !one.body.is_empty()).cloned());
        Ok(all
            .iter()
            .map(|one| {
                let critical = if one.critical { boolean(true) } else { Vec::new() };
                sequence(&[oid(&one.oid), critical, tlv(4, &one.body)])
            })
            .collect())
    }

    fn signature(&self, draft: &Draft, body: &[u8]) -> io::Result<Vec<u8>> {
        fs::write(self.dir.join("tbs"), body)?;
        openssl(&self.dir, &format!("dgst -{} -sign {}.key -out signature tbs", draft.digest, draft.signer))?;
        fs::read(self.dir.join("signature"))
    }

    /// An OCSP response about `certificate`, signed by `signer` itself, for the next seven days.
    pub(super) fn ocsp(&self, certificate: &[u8], issuer: &[u8], signer: &str, revoked: bool) -> io::Result<Vec<u8>> {
        fs::write(self.dir.join("subject.pem"), super::der::pem(certificate))?;
        fs::write(self.dir.join("issuer.pem"), super::der::pem(issuer))?;
        let year =
            |days: i64| String::from_utf8_lossy(time(self.now + days * 86_400).get(2..).unwrap_or_default()).into_owned();
        let status = if revoked { format!("R\t{}\t{}", year(300), year(-1)) } else { format!("V\t{}\t", year(300)) };
        let serial = format!("{:X}", self.serial);
        let serial = if serial.len() % 2 == 1 { format!("0{serial}") } else { serial };
        fs::write(self.dir.join("index.txt"), format!("{status}\t{serial}\tunknown\t/CN=subject\n"))?;
        openssl(&self.dir, "ocsp -sha1 -issuer issuer.pem -cert subject.pem -no_nonce -reqout request.der")?;
        openssl(
            &self.dir,
            &format!(
                "ocsp -index index.txt -CA issuer.pem -rsigner issuer.pem -rkey {signer}.key -resp_key_id -resp_no_certs -ndays 7 \
                 -reqin request.der -respout response.der"
            ),
        )?;
        fs::read(self.dir.join("response.der"))
    }
}

/// A key identifier: any bytes will do (RFC 5280 §4.2.1.2).
fn identifier(key: &str) -> Vec<u8> {
    let mut bytes = [0x5a; 20];
    bytes.iter_mut().zip(key.bytes()).for_each(|(byte, letter)| *byte = letter);
    bytes.to_vec()
}

fn algorithm(draft: &Draft) -> Vec<u8> {
    let rsa = draft.signer.starts_with("rsa") || draft.signer == "weak";
    match (rsa, draft.digest) {
        (true, "md5") => sequence(&[oid("1.2.840.113549.1.1.4"), tlv(5, &[])]),
        (true, "sha1") => sequence(&[oid("1.2.840.113549.1.1.5"), tlv(5, &[])]),
        (true, _) => sequence(&[oid("1.2.840.113549.1.1.11"), tlv(5, &[])]),
        (false, "sha1") => sequence(&[oid("1.2.840.10045.4.1")]),
        (false, _) => sequence(&[oid("1.2.840.10045.4.3.2")]),
    }
}

fn openssl(dir: &Path, words: &str) -> io::Result<()> {
    let output = Command::new("openssl").args(words.split_whitespace()).current_dir(dir).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("openssl {words}: {}", String::from_utf8_lossy(&output.stderr))))
}
