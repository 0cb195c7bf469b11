//! Java's own key stores, JKS and JCEKS. Certificates stand in them unencrypted; the password only guards keys and a checksum.

use std::io;

use crate::file::invalid;

const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
const JCEKS: [u8; 4] = [0xce, 0xce, 0xce, 0xce];
const PRIVATE_KEY: u32 = 1;
const TRUSTED_CERTIFICATE: u32 = 2;

/// Whether it begins like one.
pub(crate) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(&JKS) || bytes.starts_with(&JCEKS)
}

/// What Java trusts of it: the trusted certificates, and the certificate of each private key.
pub(crate) fn certificates(bytes: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let mut rest = Rest(bytes.get(4..).unwrap_or_default());
    let mut certificates = Vec::new();
    entries(&mut rest, &mut certificates).ok_or_else(|| invalid("the Java key store is damaged"))?;
    Ok(certificates)
}

fn entries(rest: &mut Rest<'_>, certificates: &mut Vec<Vec<u8>>) -> Option<()> {
    let version = rest.number()?;
    let typed = match version {
        1 => false,
        2 => true,
        _ => return None,
    };
    for _ in 0..rest.number()? {
        let kind = rest.number()?;
        // The alias and the time of making.
        rest.text()?;
        rest.take(8)?;
        match kind {
            PRIVATE_KEY => {
                rest.bytes()?;
                for index in 0..rest.number()? {
                    let found = rest.certificate(typed)?;
                    if index == 0 {
                        certificates.push(found.to_vec());
                    }
                }
            }
            TRUSTED_CERTIFICATE => certificates.push(rest.certificate(typed)?.to_vec()),
            // A secret key of JCEKS has no length, so that nothing behind it can be found.
            _ => return None,
        }
    }
    Some(())
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        self.take(usize::from(length))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(usize::try_from(length).ok()?)
    }

    /// Since version 2 its type stands before it.
    fn certificate(&mut self, typed: bool) -> Option<&'a [u8]> {
        if typed {
            self.text()?;
        }
        self.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_cut_anywhere_is_an_error_and_no_panic() {
        let text = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
        let bytes = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
        let certificate = |content: &[u8]| [text("X.509"), bytes(content)].concat();
        let store = [
            &JKS[..],
            &[0, 0, 0, 2, 0, 0, 0, 2],
            &[0, 0, 0, 2],
            &text("root"),
            &[0; 8],
            &certificate(b"one"),
            &[0, 0, 0, 1],
            &text("key"),
            &[0; 8],
            &bytes(b"secret"),
            &[0, 0, 0, 2],
            &certificate(b"own"),
            &certificate(b"its issuer"),
        ]
        .concat();
        assert!(is_one(&store));
        assert_eq!(certificates(&store).unwrap(), [b"one".to_vec(), b"own".to_vec()]);
        for end in 0..store.len() {
            assert!(certificates(&store[..end]).is_err(), "{end}");
        }
    }
}
