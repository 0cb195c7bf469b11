//! A small certificate authority: a root, an intermediate, and leaves of every kind of key, as PEM files.
//!
//! For each leaf `NAME` there are `NAME.pem` (leaf and intermediate), `NAME.leaf.pem`, `NAME.key` and `NAME.all.pem`
//! (chain and key in one file, as HAProxy and lighttpd like it); further `ca.pem`, `intermediate.pem`, `dh1024.pem`,
//! `dh2048.pem` and `rsa.p12` (password `changeit`).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

pub mod workshop;

pub use workshop::{Authority, Weak, Workshop};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_RSA_SHA256, RsaKeySize,
};

/// The name that every scenario asks for.
pub const NAME: &str = "good.example.test";
/// A second name, in the certificate `other` alone.
pub const OTHER_NAME: &str = "other.example.test";

/// The key of a leaf certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, 1024 bits: below the least of any current client.
    Rsa1024,
    /// RSA, 2048 bits.
    Rsa2048,
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
}

/// A leaf certificate to be made.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'a> {
    /// The stem of its files.
    pub file: &'a str,
    /// Its key.
    pub key: KeyKind,
    /// Its DNS names; the first is the common name too.
    pub names: &'a [&'a str],
    /// Start of validity, in days from now (negative: in the past).
    pub starts_in_days: i64,
    /// End of validity, in days from now.
    pub ends_in_days: i64,
}

const LEAF: Leaf<'static> = Leaf { file: "rsa", key: KeyKind::Rsa2048, names: &[NAME], starts_in_days: -2, ends_in_days: 300 };

/// What the scenarios use.
const LEAVES: &[Leaf<'static>] = &[
    LEAF,
    Leaf { file: "rsa1024", key: KeyKind::Rsa1024, ..LEAF },
    Leaf { file: "ecdsa", key: KeyKind::P256, ..LEAF },
    Leaf { file: "p384", key: KeyKind::P384, ..LEAF },
    Leaf { file: "p521", key: KeyKind::P521, ..LEAF },
    Leaf { file: "ed25519", key: KeyKind::Ed25519, ..LEAF },
    Leaf { file: "ed448", key: KeyKind::Ed448, ..LEAF },
    Leaf { file: "other", key: KeyKind::P256, names: &[OTHER_NAME], ..LEAF },
    Leaf { file: "client", key: KeyKind::P256, names: &["client.example.test"], ..LEAF },
];

/// The 1024-bit group of RFC 2409 §6.2, as a PKCS #3 structure for `openssl asn1parse -genconf`.
const OAKLEY_GROUP_2: &str = "asn1 = SEQUENCE:dh\n[dh]\np = INTEGER:0x\
FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B\
302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6\
49286651ECE65381FFFFFFFFFFFFFFFF\ng = INTEGER:2\n";

/// Change it when the set of files changes: old ones are then made anew.
const STAMP: &str = "4";
/// How long the files are kept before they are made anew.
const KEPT: Duration = Duration::from_secs(20 * 86_400);

/// A directory of certificates and keys.
#[derive(Debug)]
pub struct Pki {
    dir: PathBuf,
    authority: Issuer<'static, KeyPair>,
    intermediate_pem: String,
}

impl Pki {
    /// The certificates below `cache`, made on the first call (or when they grew old), safe against other processes.
    pub fn cached(cache: &Path) -> io::Result<PathBuf> {
        fs::create_dir_all(cache)?;
        let lock = File::create(cache.join("pki.lock"))?;
        lock.lock()?;
        let dir = cache.join("pki");
        let stamp = dir.join("stamp");
        let age = fs::metadata(&stamp).and_then(|found| found.modified()).map(|made| made.elapsed().unwrap_or_default());
        let fresh = matches!(age, Ok(age) if age < KEPT) && fs::read_to_string(&stamp).is_ok_and(|text| text == STAMP);
        if !fresh {
            let _ = fs::remove_dir_all(&dir);
            let pki = Pki::create(&dir)?;
            for leaf in LEAVES {
                pki.issue(leaf)?;
            }
            fs::write(dir.join("dh1024.cnf"), OAKLEY_GROUP_2)?;
            openssl(&dir, "asn1parse -genconf dh1024.cnf -noout -out dh1024.der")?;
            openssl(&dir, "dhparam -inform DER -in dh1024.der -out dh1024.pem")?;
            openssl(&dir, "genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out dh2048.pem")?;
            openssl(&dir, "pkcs12 -export -in rsa.pem -inkey rsa.key -name server -passout pass:changeit -out rsa.p12")?;
            fs::write(&stamp, STAMP)?;
        }
        Ok(dir)
    }

    /// A new root and a new intermediate in `dir`.
    pub fn create(dir: &Path) -> io::Result<Pki> {
        fs::create_dir_all(dir)?;
        let root_key = rsa_key()?;
        let root_params = authority_params("tlswhy lab root")?;
        let root = root_params.self_signed(&root_key).map_err(io::Error::other)?;
        fs::write(dir.join("ca.pem"), root.pem())?;

        let key = rsa_key()?;
        let params = authority_params("tlswhy lab intermediate")?;
        let certificate = params.signed_by(&key, &Issuer::new(root_params, root_key)).map_err(io::Error::other)?;
        let intermediate_pem = certificate.pem();
        fs::write(dir.join("intermediate.pem"), &intermediate_pem)?;
        fs::write(dir.join("intermediate.key"), key.serialize_pem())?;
        Ok(Pki { dir: dir.to_owned(), authority: Issuer::new(params, key), intermediate_pem })
    }

    /// Makes one leaf certificate and writes its files.
    pub fn issue(&self, leaf: &Leaf<'_>) -> io::Result<()> {
        let (certificate, key) = match leaf.key {
            KeyKind::Rsa2048 => self.sign(leaf, rsa_key()?)?,
            KeyKind::P256 => self.sign(leaf, ec_key(&PKCS_ECDSA_P256_SHA256)?)?,
            KeyKind::P384 => self.sign(leaf, ec_key(&PKCS_ECDSA_P384_SHA384)?)?,
            KeyKind::P521 => self.sign(leaf, ec_key(&PKCS_ECDSA_P521_SHA512)?)?,
            KeyKind::Rsa1024 => self.sign_by_openssl(leaf, "RSA -pkeyopt rsa_keygen_bits:1024")?,
            // rcgen writes this key in PKCS #8 version 2, which OpenSSL 3.0 does not read.
            KeyKind::Ed25519 => self.sign_by_openssl(leaf, "ED25519")?,
            KeyKind::Ed448 => self.sign_by_openssl(leaf, "ED448")?,
        };
        let chain = format!("{certificate}{}", self.intermediate_pem);
        fs::write(self.file(leaf, "leaf.pem"), &certificate)?;
        fs::write(self.file(leaf, "key"), &key)?;
        fs::write(self.file(leaf, "pem"), &chain)?;
        fs::write(self.file(leaf, "all.pem"), format!("{chain}{key}"))
    }

    fn file(&self, leaf: &Leaf<'_>, extension: &str) -> PathBuf {
        self.dir.join(format!("{}.{extension}", leaf.file))
    }

    fn sign(&self, leaf: &Leaf<'_>, key: KeyPair) -> io::Result<(String, String)> {
        let names: Vec<String> = leaf.names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params.distinguished_name.push(DnType::CommonName, leaf.names.first().copied().unwrap_or("none"));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if leaf.key == KeyKind::Rsa2048 {
            params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = in_days(leaf.starts_in_days).into();
        params.not_after = in_days(leaf.ends_in_days).into();
        let certificate = params.signed_by(&key, &self.authority).map_err(io::Error::other)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    /// For keys that rcgen's provider does not make. Their validity starts now.
    fn sign_by_openssl(&self, leaf: &Leaf<'_>, algorithm: &str) -> io::Result<(String, String)> {
        let (stem, name) = (leaf.file, leaf.names.first().copied().unwrap_or("none"));
        let names: Vec<String> = leaf.names.iter().map(|name| format!("DNS:{name}")).collect();
        fs::write(
            self.file(leaf, "ext"),
            format!(
                "subjectAltName={}\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:FALSE\n\
                 subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
                names.join(",")
            ),
        )?;
        openssl(&self.dir, &format!("genpkey -algorithm {algorithm} -out {stem}.key"))?;
        openssl(&self.dir, &format!("req -new -key {stem}.key -subj /CN={name} -out {stem}.csr"))?;
        openssl(
            &self.dir,
            &format!(
                "x509 -req -in {stem}.csr -CA intermediate.pem -CAkey intermediate.key -sha256 -days {} \
                 -extfile {stem}.ext -out {stem}.leaf.pem",
                leaf.ends_in_days
            ),
        )?;
        Ok((fs::read_to_string(self.file(leaf, "leaf.pem"))?, fs::read_to_string(self.file(leaf, "key"))?))
    }
}

fn authority_params(name: &str) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.not_before = in_days(-400).into();
    params.not_after = in_days(3_000).into();
    Ok(params)
}

fn rsa_key() -> io::Result<KeyPair> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(io::Error::other)
}

fn ec_key(algorithm: &'static rcgen::SignatureAlgorithm) -> io::Result<KeyPair> {
    KeyPair::generate_for(algorithm).map_err(io::Error::other)
}

fn in_days(days: i64) -> SystemTime {
    let distance = Duration::from_secs(days.unsigned_abs() * 86_400);
    if days < 0 { SystemTime::now() - distance } else { SystemTime::now() + distance }
}

fn openssl(dir: &Path, arguments: &str) -> io::Result<()> {
    let output = Command::new("openssl").args(arguments.split_whitespace()).current_dir(dir).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr))))
}
