//! The demo's own certificate authority. Keys and certificates are made when they are needed and never leave the process.
//!
//! A root signs an intermediate, which signs servers' certificates, and a second one below it, which does so too.

use std::io;
use std::ops::Range;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize, SerialNumber,
    SubjectPublicKeyInfo,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};

use super::staple;

const DAY: Duration = Duration::from_secs(86_400);
/// When its own certificates begin and end, in days from now: no server's certificate is outside.
const LIFE: Range<i32> = -400..400;
/// Serial number of every server's certificate: there is one to an issuer at a time.
const SERIAL: [u8; 8] = [0x51, 0x3a, 0x0c, 0x77, 0x1e, 0x92, 0x64, 0x0b];
const ROOT: &str = "tlswhy demo root";
const INTERMEDIATE: &str = "tlswhy demo intermediate";
const LOWER: &str = "tlswhy demo lower intermediate";

/// Made once with `openssl genpkey`, since the library makes none so small; both halves. It guards nothing.
const RSA_1024: &[u8] = include_bytes!("rsa_1024.pem");

/// The key of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// ECDSA on P-256.
    P256,
    /// Ed25519.
    Ed25519,
    /// RSA with 2048 bits; made once, since that takes a tenth of a second.
    Rsa,
    /// RSA with 1024 bits.
    Rsa1024,
}

/// Who signs a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signer {
    /// Its own key.
    Itself,
    /// The intermediate.
    Intermediate,
    /// The intermediate below that.
    Lower,
}

/// What a server sends of its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// All but the root, in order.
    Whole,
    /// Its own certificate alone.
    Leaf,
    /// Its own certificate, and the intermediates from the top down.
    Reversed,
}

/// What a server is given; scenes break something of [`SOUND`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Credentials {
    pub(super) key: KeyKind,
    /// The names that its certificate covers.
    pub(super) names: &'static [&'static str],
    /// When its certificate begins and ends, in days from now.
    pub(super) days: (i32, i32),
    pub(super) signer: Signer,
    pub(super) sent: Sent,
    /// Whether the certificate was issued for a client's use.
    pub(super) for_clients: bool,
    /// Whether an OCSP response goes with it that calls it revoked.
    pub(super) revoked: bool,
    /// Whether the key is that of another certificate.
    pub(super) foreign_key: bool,
}

/// Without fault.
pub(super) const SOUND: Credentials = Credentials {
    key: KeyKind::P256,
    names: &["www.example.test", "mail.example.test"],
    days: (-1, 60),
    signer: Signer::Intermediate,
    sent: Sent::Whole,
    for_clients: false,
    revoked: false,
    foreign_key: false,
};

/// What a server shows of itself, and its key.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// DER of each certificate, its own first.
    pub(super) chain: Vec<Vec<u8>>,
    /// PKCS #8, DER.
    pub(super) key: Vec<u8>,
    /// OCSPResponse in DER.
    pub(super) staple: Option<Vec<u8>>,
}

type Ca = CertifiedIssuer<'static, KeyPair>;

/// A root and those below it that sign servers' certificates.
pub(crate) struct Authority {
    root: Ca,
    intermediate: Ca,
    lower: Ca,
    rsa: OnceLock<Vec<u8>>,
}

impl Authority {
    /// A new one.
    pub(crate) fn new() -> Result<Authority, Error> {
        let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256);
        let root = Ca::self_signed(ca(ROOT)?, key()?)?;
        let intermediate = Ca::signed_by(ca(INTERMEDIATE)?, key()?, &root)?;
        let lower = Ca::signed_by(ca(LOWER)?, key()?, &intermediate)?;
        Ok(Authority { root, intermediate, lower, rsa: OnceLock::new() })
    }

    /// DER of the root's certificate, for those who are to trust it.
    pub(crate) fn root(&self) -> &[u8] {
        self.root.der()
    }

    /// DER of the certificates between root and server, for those who are to know them.
    pub(crate) fn intermediates(&self) -> [&[u8]; 2] {
        [self.intermediate.der(), self.lower.der()]
    }

    /// Certificate, chain and key as wished for.
    pub(super) fn identity(&self, credentials: &Credentials) -> io::Result<Identity> {
        let key = self.key(credentials.key).map_err(io::Error::other)?;
        let certificate = self.certificate(credentials, &key).map_err(io::Error::other)?;
        let above: &[&Ca] = match credentials.signer {
            Signer::Itself => &[],
            Signer::Intermediate => &[&self.intermediate],
            Signer::Lower => &[&self.lower, &self.intermediate],
        };
        let above = above.iter().map(|ca| ca.der().to_vec());
        let mut chain = vec![certificate];
        match credentials.sent {
            Sent::Whole => chain.extend(above),
            Sent::Leaf => {}
            Sent::Reversed => chain.extend(above.rev()),
        }
        let staple = credentials.revoked.then(|| staple::revoked(INTERMEDIATE, self.intermediate.key(), &SERIAL));
        let key = if credentials.foreign_key { self.key(credentials.key).map_err(io::Error::other)? } else { key };
        Ok(Identity { chain, key: key.private, staple: staple.transpose()? })
    }

    fn key(&self, kind: KeyKind) -> Result<Key, Error> {
        let pair = match kind {
            KeyKind::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
            KeyKind::Ed25519 => KeyPair::generate_for(&PKCS_ED25519)?,
            KeyKind::Rsa => match self.rsa.get() {
                Some(made) => KeyPair::try_from(made.as_slice())?,
                None => {
                    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
                    self.rsa.get_or_init(|| pair.serialize_der());
                    pair
                }
            },
            KeyKind::Rsa1024 => {
                let unreadable = |_| Error::CouldNotParseKeyPair;
                let public = SubjectPublicKeyInfoDer::from_pem_slice(RSA_1024).map_err(unreadable)?;
                let private = PrivatePkcs8KeyDer::from_pem_slice(RSA_1024).map_err(unreadable)?;
                return Ok(Key {
                    public: SubjectPublicKeyInfo::from_der(&public)?,
                    private: private.secret_pkcs8_der().to_vec(),
                    pair: None,
                });
            }
        };
        let public = SubjectPublicKeyInfo::from_der(&pair.subject_public_key_info())?;
        Ok(Key { public, private: pair.serialize_der(), pair: Some(pair) })
    }

    fn certificate(&self, credentials: &Credentials, key: &Key) -> Result<Vec<u8>, Error> {
        let (first, last) = credentials.days;
        let mut params = params(credentials.names, credentials.names.first().copied().unwrap_or_default(), first..last)?;
        params.serial_number = Some(SerialNumber::from_slice(&SERIAL));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if matches!(credentials.key, KeyKind::Rsa | KeyKind::Rsa1024) {
            params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        }
        let purpose = match credentials.for_clients {
            true => ExtendedKeyUsagePurpose::ClientAuth,
            false => ExtendedKeyUsagePurpose::ServerAuth,
        };
        params.extended_key_usages = vec![purpose];
        params.use_authority_key_identifier_extension = true;
        let certificate = match credentials.signer {
            Signer::Itself => params.self_signed(key.pair.as_ref().ok_or(Error::CouldNotParseKeyPair)?)?,
            Signer::Intermediate => params.signed_by(&key.public, &self.intermediate)?,
            Signer::Lower => params.signed_by(&key.public, &self.lower)?,
        };
        Ok(certificate.der().to_vec())
    }
}

/// A key pair, whether or not the library can sign with it.
struct Key {
    public: SubjectPublicKeyInfo,
    /// PKCS #8, DER.
    private: Vec<u8>,
    pair: Option<KeyPair>,
}

fn ca(common_name: &str) -> Result<CertificateParams, Error> {
    let mut params = params(&[], common_name, LIFE)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn params(names: &[&str], common_name: &str, days: Range<i32>) -> Result<CertificateParams, Error> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    let now = SystemTime::now();
    let at = |days: i32| match days {
        0.. => now + DAY * days.unsigned_abs(),
        _ => now - DAY * days.unsigned_abs(),
    };
    params.not_before = at(days.start).into();
    params.not_after = at(days.end).into();
    Ok(params)
}
