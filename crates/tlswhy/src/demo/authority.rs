//! The demo's own certificate authority. Keys and certificates are made when they are needed and never leave the process.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize,
};

/// The names that its certificates cover.
pub(super) const NAMES: &[&str] = &["www.example.test", "mail.example.test"];

const DAY: Duration = Duration::from_secs(86_400);

/// The key of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// ECDSA on P-256.
    P256,
    /// Ed25519.
    Ed25519,
    /// RSA with 2048 bits; made once, since that takes a tenth of a second.
    Rsa,
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// DER.
    pub(super) certificate: Vec<u8>,
    /// PKCS #8, DER.
    pub(super) key: Vec<u8>,
}

/// A root that signs servers' certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: Vec<u8>,
    rsa: OnceLock<Identity>,
}

impl Authority {
    /// A new one.
    pub(crate) fn new() -> Result<Authority, rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = params(&[], "tlswhy demo root")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = params.self_signed(&key)?.der().to_vec();
        Ok(Authority { issuer: Issuer::new(params, key), root, rsa: OnceLock::new() })
    }

    /// DER of its own certificate, for those who are to trust it.
    pub(crate) fn root(&self) -> &[u8] {
        &self.root
    }

    /// A certificate for [`NAMES`].
    pub(super) fn identity(&self, kind: KeyKind) -> Result<Identity, rcgen::Error> {
        let key = match kind {
            KeyKind::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
            KeyKind::Ed25519 => KeyPair::generate_for(&PKCS_ED25519)?,
            KeyKind::Rsa => match self.rsa.get() {
                Some(made) => return Ok(made.clone()),
                None => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?,
            },
        };
        let identity = self.sign(&key, kind)?;
        if kind == KeyKind::Rsa {
            return Ok(self.rsa.get_or_init(|| identity).clone());
        }
        Ok(identity)
    }

    fn sign(&self, key: &KeyPair, kind: KeyKind) -> Result<Identity, rcgen::Error> {
        let mut params = params(NAMES, NAMES.first().copied().unwrap_or_default())?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if kind == KeyKind::Rsa {
            params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(key, &self.issuer)?;
        Ok(Identity { certificate: certificate.der().to_vec(), key: key.serialize_der() })
    }
}

fn params(names: &[&str], common_name: &str) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    let now = SystemTime::now();
    params.not_before = (now - DAY).into();
    params.not_after = (now + 60 * DAY).into();
    Ok(params)
}
