//! Certificates made for one scenario alone, right when its server starts: so that "ended an hour ago" is true, and
//! URLs can name ports that were free a moment ago.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SerialNumber,
};

use super::{NAME, authority_params, ec_key, openssl, rsa_key};

/// caIssuers and OCSP (RFC 5280 §4.2.2.1), and the responder itself.
const AUTHORITY_INFORMATION: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];

/// A directory in which certificates are made. Files are named as in [`super`]; an authority has `STEM.pem` and `STEM.key`.
#[derive(Debug)]
pub struct Workshop {
    dir: PathBuf,
    http: u16,
    ocsp: u16,
}

/// Something that can issue.
#[derive(Debug)]
pub struct Authority {
    /// Its files.
    pub stem: String,
    params: CertificateParams,
    key: KeyPair,
    is_root: bool,
}

/// A certificate that only `openssl` still makes: weak keys and weak digests.
#[derive(Clone, Copy, Debug)]
pub struct Weak<'a> {
    /// The stem of its files.
    pub stem: &'a str,
    /// Who issues it; its own stem: itself.
    pub above: &'a str,
    /// Its key, as `openssl genpkey -algorithm` takes it.
    pub key: &'a str,
    /// The digest of its signature, as `openssl x509` calls it.
    pub digest: &'a str,
    /// Whether it is an authority.
    pub ca: bool,
}

/// A P-256 key for `openssl genpkey -algorithm`.
pub const P256: &str = "EC -pkeyopt ec_paramgen_curve:P-256";

impl Workshop {
    /// Works in `dir`; whose subdirectory `www` is served over HTTP on one port, a responder may be started on the other.
    pub fn new(dir: &Path, http: u16, ocsp: u16) -> io::Result<Workshop> {
        fs::create_dir_all(dir.join("www"))?;
        fs::write(dir.join("ocsp.port"), ocsp.to_string())?;
        Ok(Workshop { dir: dir.to_owned(), http, ocsp })
    }

    /// A new P-256 key.
    pub fn key(&self) -> io::Result<KeyPair> {
        p256_key()
    }

    /// A new RSA key of 2048 bits.
    pub fn rsa_key(&self) -> io::Result<KeyPair> {
        rsa_key()
    }

    /// An authority: `root` and what is below.
    pub fn authority(
        &self,
        stem: &str,
        name: &str,
        above: Option<&Authority>,
        change: impl FnOnce(&mut CertificateParams),
    ) -> io::Result<Authority> {
        self.authority_with(stem, name, above, p256_key()?, change)
    }

    /// The same for a key that is there already: a second certificate of one authority.
    pub fn authority_with(
        &self,
        stem: &str,
        name: &str,
        above: Option<&Authority>,
        key: KeyPair,
        change: impl FnOnce(&mut CertificateParams),
    ) -> io::Result<Authority> {
        let mut params = authority_params(name)?;
        change(&mut params);
        let certificate = sign(&params, &key, above)?;
        self.write(&format!("{stem}.pem"), certificate.pem())?;
        self.write(&format!("www/{stem}.cer"), certificate.der())?;
        self.write(&format!("{stem}.key"), key.serialize_pem())?;
        Ok(Authority { stem: stem.to_owned(), params, key, is_root: above.is_none() })
    }

    /// The usual two: a root in `ca.pem` and an intermediate in `intermediate.pem`, both in `with-intermediate.pem`.
    pub fn authorities(&self) -> io::Result<(Authority, Authority)> {
        let root = self.authority("ca", "tlswhy lab own root", None, |_| ())?;
        let intermediate = self.authority("intermediate", "tlswhy lab own intermediate", Some(&root), |_| ())?;
        self.join("with-intermediate.pem", &["ca.pem", "intermediate.pem"])?;
        Ok((root, intermediate))
    }

    /// The usual two, and below them the server's certificate `site`, changed so.
    pub fn site(&self, change: impl FnOnce(&mut CertificateParams)) -> io::Result<()> {
        let (_, intermediate) = self.authorities()?;
        self.leaf("site", &intermediate, change)
    }

    /// A root and two authorities below it, `upper` and `lower`, and the server's certificate `site`.
    pub fn deep(&self) -> io::Result<()> {
        let root = self.authority("ca", "tlswhy lab deep root", None, |_| ())?;
        let upper = self.authority("upper", "tlswhy lab upper intermediate", Some(&root), |_| ())?;
        let lower = self.authority("lower", "tlswhy lab lower intermediate", Some(&upper), |_| ())?;
        self.leaf("site", &lower, |_| ())?;
        self.bundle("site", "site", &["lower", "upper"])?;
        self.join("with-intermediate.pem", &["ca.pem", "upper.pem", "lower.pem"])?;
        self.join("both.pem", &["upper.pem", "lower.pem"])
    }

    /// The server's certificate, `STEM.pem` with its issuer behind it (a root is not sent).
    pub fn leaf(&self, stem: &str, above: &Authority, change: impl FnOnce(&mut CertificateParams)) -> io::Result<()> {
        self.leaf_with(stem, Some(above), p256_key()?, change)
    }

    /// The same with this key; without an issuer it is self-signed.
    pub fn leaf_with(
        &self,
        stem: &str,
        above: Option<&Authority>,
        key: KeyPair,
        change: impl FnOnce(&mut CertificateParams),
    ) -> io::Result<()> {
        let mut params = leaf_params(&[NAME])?;
        change(&mut params);
        let certificate = sign(&params, &key, above)?;
        self.write(&format!("{stem}.leaf.pem"), certificate.pem())?;
        self.write(&format!("{stem}.key"), key.serialize_pem())?;
        let chain: Vec<&str> = above.filter(|above| !above.is_root).map(|above| above.stem.as_str()).into_iter().collect();
        self.bundle(stem, stem, &chain)
    }

    /// Writes `STEM.pem`, `STEM.key` and `STEM.all.pem`: the leaf `from`, and behind it these authorities as they come.
    pub fn bundle(&self, stem: &str, from: &str, chain: &[&str]) -> io::Result<()> {
        let mut text = self.read(&format!("{from}.leaf.pem"))?;
        for one in chain {
            text += &self.read(&format!("{one}.pem"))?;
        }
        let key = self.read(&format!("{from}.key"))?;
        self.write(&format!("{stem}.leaf.pem"), self.read(&format!("{from}.leaf.pem"))?)?;
        self.write(&format!("{stem}.pem"), &text)?;
        self.write(&format!("{stem}.key"), &key)?;
        self.write(&format!("{stem}.all.pem"), text + &key)
    }

    /// One file made of others.
    pub fn join(&self, name: &str, parts: &[&str]) -> io::Result<()> {
        let texts = parts.iter().map(|part| self.read(part)).collect::<io::Result<Vec<_>>>()?;
        self.write(name, texts.concat())
    }

    /// A certificate by `openssl`, good for 300 days, for [`NAME`]; its chain has to be bundled.
    pub fn weak(&self, weak: &Weak<'_>) -> io::Result<()> {
        let Weak { stem, above, key, digest, ca } = *weak;
        let extensions = if ca {
            "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n".to_owned()
        } else {
            format!(
                "subjectAltName=DNS:{NAME}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment\n\
                 subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
            )
        };
        self.write(&format!("{stem}.ext"), extensions)?;
        let out = if ca { format!("{stem}.pem") } else { format!("{stem}.leaf.pem") };
        let subject = if ca { format!("/CN=tlswhy-lab-{stem}") } else { format!("/CN={NAME}") };
        let signer = if stem == above { format!("-signkey {stem}.key") } else { format!("-CA {above}.pem -CAkey {above}.key") };
        openssl(&self.dir, &format!("genpkey -algorithm {key} -out {stem}.key"))?;
        openssl(&self.dir, &format!("req -new -key {stem}.key -subj {subject} -out {stem}.csr"))?;
        openssl(
            &self.dir,
            &format!(
                "x509 -req -in {stem}.csr {signer} -{digest} -days 300 -extfile {stem}.ext -set_serial 0x{SERIAL} -out {out}"
            ),
        )
    }

    /// Changes the last byte of a leaf's signature.
    pub fn spoil_signature(&self, stem: &str) -> io::Result<()> {
        let mut der = self.der(&format!("{stem}.leaf.pem"))?;
        if let Some(last) = der.last_mut() {
            *last ^= 1;
        }
        self.write("spoiled.der", der)?;
        self.openssl(&format!("x509 -inform DER -in spoiled.der -out {stem}.leaf.pem"))
    }

    /// What the intermediate says of `site`: the response `site.ocsp`, the list `site.crl` (PEM; DER below `www`), and
    /// `index.txt` for the responder.
    pub fn revocation(&self, revoked: bool) -> io::Result<()> {
        let row = if revoked {
            format!("R\t391231235959Z\t200101000000Z,keyCompromise\t{SERIAL}\tunknown\t/CN={NAME}\n")
        } else {
            format!("V\t391231235959Z\t\t{SERIAL}\tunknown\t/CN={NAME}\n")
        };
        self.write("index.txt", row)?;
        self.write(
            "ca.cnf",
            "[ca]\ndefault_ca = lab\n[lab]\ndatabase = index.txt\ndefault_md = sha256\ndefault_crl_days = 7\n",
        )?;
        self.openssl(
            "ocsp -index index.txt -CA intermediate.pem -rsigner intermediate.pem -rkey intermediate.key \
             -issuer intermediate.pem -cert site.leaf.pem -respout site.ocsp -ndays 7",
        )?;
        self.openssl("ca -config ca.cnf -gencrl -keyfile intermediate.key -cert intermediate.pem -out site.crl")?;
        self.openssl("crl -in site.crl -outform DER -out www/site.crl")
    }

    /// Runs `openssl` in the directory.
    pub fn openssl(&self, arguments: &str) -> io::Result<()> {
        openssl(&self.dir, arguments)
    }

    /// The DER of a PEM file's first certificate.
    pub fn der(&self, name: &str) -> io::Result<Vec<u8>> {
        openssl(&self.dir, &format!("x509 -in {name} -outform DER -out {name}.der"))?;
        fs::read(self.dir.join(format!("{name}.der")))
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        fs::write(self.dir.join(name), bytes)
    }

    /// Reads a text file.
    pub fn read(&self, name: &str) -> io::Result<String> {
        fs::read_to_string(self.dir.join(name))
    }

    /// The URL of a file of `www`.
    pub fn url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/{name}", self.http)
    }

    /// The URL at which [`crate::Lab::ocsp_responder`] will answer.
    pub fn ocsp_url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.ocsp)
    }
}

/// The serial number of every leaf: one byte would do, and public authorities use many.
pub const SERIAL: &str = "5B1E0C5D2A7F4411";

impl Authority {
    /// Its key once more, for a second certificate.
    pub fn same_key(&self) -> io::Result<KeyPair> {
        KeyPair::from_pem(&self.key.serialize_pem()).map_err(io::Error::other)
    }
}

/// What a server's certificate looks like where nothing is wrong with it.
pub(crate) fn leaf_params(names: &[&str]) -> io::Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let common_name = names.first().cloned().unwrap_or_default();
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = u64::from_str_radix(SERIAL, 16).ok().map(SerialNumber::from);
    lasts(&mut params, -2 * DAY, 300 * DAY);
    Ok(params)
}

/// A day in seconds.
pub const DAY: i64 = 86_400;

/// Valid between these moments, in seconds from now.
pub fn lasts(params: &mut CertificateParams, from: i64, to: i64) {
    let at = |seconds: i64| {
        let (now, distance) = (std::time::SystemTime::now(), Duration::from_secs(seconds.unsigned_abs()));
        if seconds < 0 { now - distance } else { now + distance }
    };
    params.not_before = at(from).into();
    params.not_after = at(to).into();
}

/// These DNS names alone, and the first of them as common name.
pub fn named(params: &mut CertificateParams, names: &[&str]) {
    if let Ok(fresh) = leaf_params(names) {
        params.subject_alt_names = fresh.subject_alt_names;
        params.distinguished_name = fresh.distinguished_name;
    }
}

/// An authority with at most so many others below it.
pub fn at_most_below(params: &mut CertificateParams, count: u8) {
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(count));
}

/// Adds an extension: its number, its contents in DER, whether it is critical.
pub fn extension(params: &mut CertificateParams, oid: &[u64], contents: &[u8], critical: bool) {
    let mut extension = CustomExtension::from_oid_content(oid, contents.to_vec());
    extension.set_criticality(critical);
    params.custom_extensions.push(extension);
}

/// Adds authorityInfoAccess with these URLs, for the issuer's certificate and for OCSP.
pub fn pointers(params: &mut CertificateParams, issuer: Option<&str>, ocsp: Option<&str>) {
    const CA_ISSUERS: &[u8] = &[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    const OCSP: &[u8] = &[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1];
    let access = |method: &[u8], url: &str| tlv(0x30, &[method, &tlv(0x86, url.as_bytes())].concat());
    let mut list = Vec::new();
    list.extend(ocsp.map(|url| access(OCSP, url)).unwrap_or_default());
    list.extend(issuer.map(|url| access(CA_ISSUERS, url)).unwrap_or_default());
    extension(params, AUTHORITY_INFORMATION, &tlv(0x30, &list), false);
}

/// One DER element; contents of at most 65535 bytes.
pub fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut out = vec![tag];
    match length {
        [0, low] if low < 0x80 => out.push(low),
        [0, low] => out.extend([0x81, low]),
        [high, low] => out.extend([0x82, high, low]),
    }
    out.extend(contents);
    out
}

fn p256_key() -> io::Result<KeyPair> {
    ec_key(&rcgen::PKCS_ECDSA_P256_SHA256)
}

fn sign(params: &CertificateParams, key: &KeyPair, above: Option<&Authority>) -> io::Result<Certificate> {
    match above {
        None => params.self_signed(key),
        Some(above) => params.signed_by(key, &Issuer::from_params(&above.params, &above.key)),
    }
    .map_err(io::Error::other)
}
