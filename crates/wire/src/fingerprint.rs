//! The strings behind the client fingerprints JA3 and JA4. They are hashed elsewhere.

use crate::client_hello::ClientHello;
use crate::hello::HelloSpec;
use crate::registry::{ExtensionType, ProtocolVersion};

/// The string that JA3 hashes with MD5: version, suites, extensions, groups and point formats in decimal, in wire
/// order and without GREASE.
pub fn ja3(hello: &ClientHello) -> String {
    let spec = hello.to_spec(*hello.legacy_version);
    let suites: Vec<u16> = spec.cipher_suites.iter().filter(|suite| !suite.is_grease()).map(|suite| suite.0).collect();
    let extensions: Vec<u16> = extension_types(&spec).map(|extension| extension.0).collect();
    let groups: Vec<u16> = spec.groups().iter().map(|group| group.0).collect();
    let formats: Vec<u16> = spec.ec_point_formats().iter().map(|format| u16::from(*format)).collect();
    let version = hello.legacy_version.0;
    format!("{version},{},{},{},{}", dashed(&suites), dashed(&extensions), dashed(&groups), dashed(&formats))
}

/// The pieces of the client fingerprint JA4. `b` and `c` are hashed; where one is empty, zeros stand for its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ja4 {
    /// Transport, version, whether there is a name, the numbers of suites and extensions, the first ALPN protocol.
    pub a: String,
    /// The suites in hex, sorted.
    pub b: String,
    /// The extensions in hex, sorted, without server_name and ALPN; then the signature schemes in wire order.
    pub c: String,
}

impl Ja4 {
    /// The pieces for a hello that came over TCP.
    pub fn of(hello: &ClientHello) -> Ja4 {
        let spec = hello.to_spec(*hello.legacy_version);
        let mut suites: Vec<u16> = spec.cipher_suites.iter().filter(|suite| !suite.is_grease()).map(|suite| suite.0).collect();
        let count = extension_types(&spec).count().min(99);
        let named = if spec.extension(ExtensionType::SERVER_NAME).is_some() { 'd' } else { 'i' };
        let version = version(spec.offered_versions().into_iter().max());
        let a = format!("t{version}{named}{:02}{count:02}{}", suites.len().min(99), alpn(hello));
        suites.sort_unstable();
        let apart = [ExtensionType::SERVER_NAME, ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION];
        let mut extensions: Vec<u16> = extension_types(&spec).filter(|of| !apart.contains(of)).map(|of| of.0).collect();
        extensions.sort_unstable();
        let schemes = spec.signature_schemes().unwrap_or_default();
        let schemes: Vec<u16> = schemes.iter().filter(|scheme| !scheme.is_grease()).map(|scheme| scheme.0).collect();
        let mut c = hex(&extensions);
        if !schemes.is_empty() {
            c = format!("{c}_{}", hex(&schemes));
        }
        Ja4 { a, b: hex(&suites), c }
    }

    /// The fingerprint, given a way to compute SHA-256.
    pub fn fingerprint(&self, sha256: impl Fn(&[u8]) -> [u8; 32]) -> String {
        let hash = |text: &str| match text {
            "" => "0".repeat(12),
            _ => sha256(text.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect(),
        };
        format!("{}_{}_{}", self.a, hash(&self.b), hash(&self.c))
    }
}

fn extension_types(spec: &HelloSpec) -> impl Iterator<Item = ExtensionType> {
    spec.extensions.iter().flatten().map(|extension| extension.extension_type()).filter(|of| !of.is_grease())
}

fn version(highest: Option<ProtocolVersion>) -> &'static str {
    match highest {
        Some(ProtocolVersion::TLSV1_3) => "13",
        Some(ProtocolVersion::TLSV1_2) => "12",
        Some(ProtocolVersion::TLSV1_1) => "11",
        Some(ProtocolVersion::TLSV1_0) => "10",
        Some(ProtocolVersion::SSLV3) => "s3",
        Some(ProtocolVersion::SSLV2) => "s2",
        _ => "00",
    }
}

/// First and last character of the first protocol; of its hex form where one of them is no letter or digit.
fn alpn(hello: &ClientHello) -> String {
    let extension = hello.extension(ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION);
    // The list's length, the first name's length, the first name.
    let name = match extension.map(|extension| extension.body.as_slice()) {
        Some([_, _, length, names @ ..]) => names.get(..usize::from(*length)).unwrap_or_default(),
        _ => &[],
    };
    match (name.first(), name.last()) {
        (Some(first), Some(last)) if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => {
            [char::from(*first), char::from(*last)].iter().collect()
        }
        (Some(first), Some(last)) => format!("{:x}{:x}", first >> 4, last & 0xf),
        _ => "00".to_owned(),
    }
}

fn dashed(numbers: &[u16]) -> String {
    let texts: Vec<String> = numbers.iter().map(u16::to_string).collect();
    texts.join("-")
}

fn hex(numbers: &[u16]) -> String {
    let texts: Vec<String> = numbers.iter().map(|number| format!("{number:04x}")).collect();
    texts.join(",")
}
