//! The bundled client profiles: one TOML file a client build (see `clients/README.md`).

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tlswhy_model::{Bytes, ClientPolicy, ClientProfile, Software, printable};
use tlswhy_wire::{
    CipherSuite, ClientHello, ExtensionSpec, ExtensionType, HelloFormat, HelloSpec, NamedGroup, ProtocolVersion,
    SignatureScheme,
};

/// File name and text of every bundled profile.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/clients.rs"));

/// The profile that is judged where this machine has no OpenSSL.
pub const FALLBACK: &str = "openssl-3.0";

/// Every bundled profile, by name.
///
/// # Errors
/// Names the file and the place that cannot be read.
pub fn clients() -> Result<Vec<ClientProfile>, String> {
    FILES.iter().map(|(file, text)| client_from_toml(text).map_err(|error| format!("{file}: {error}"))).collect()
}

/// The bundled profiles of the panel of well-known clients, by name. Only their files are read.
pub fn panel() -> Vec<ClientProfile> {
    let panel = FILES.iter().filter(|(_, text)| text.lines().any(|line| line.starts_with("panel") && line.contains("true")));
    panel.filter_map(|(_, text)| client_from_toml(text).ok()).filter(|client| client.panel).collect()
}

/// The bundled profile of this name.
pub fn client(name: &str) -> Option<ClientProfile> {
    let wanted = format!("{name}.toml");
    let (_, text) = FILES.iter().find(|(file, _)| *file == wanted)?;
    client_from_toml(text).ok()
}

/// Reads a profile.
///
/// # Errors
/// Says which key or value cannot be read.
pub fn client_from_toml(text: &str) -> Result<ClientProfile, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    let hello = file.hello.to_spec()?;
    if file.name.is_empty() || !file.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.')
    {
        return Err(format!("name = {:?}: only lower-case letters, digits, '-' and '.'", printable(&file.name, 80)));
    }
    Ok(ClientProfile {
        name: file.name,
        title: printable(&file.title, 120),
        software: file.software,
        panel: file.panel,
        source: file.source,
        hello,
        policy: file.policy,
    })
}

/// A client of which nothing is known but its hello. Where that is one of a bundled client in everything, what that one accepts is
/// taken over.
pub fn client_of_hello(record_version: ProtocolVersion, hello: &ClientHello) -> ClientProfile {
    let mut spec = hello.to_spec(record_version);
    if let Some(ExtensionSpec::Padding(length)) =
        spec.extensions.iter_mut().flatten().find(|extension| extension.extension_type() == ExtensionType::PADDING)
    {
        // It pads to a length, whatever the server's name.
        *length = 0;
        spec.pad_to = u16::try_from(hello.raw.len()).ok();
    }
    let same = super::likeness::nearest(&spec, 1).into_iter().find(|like| like.distance == 0).map(|like| like.client);
    let (software, policy) = same.map_or_else(Default::default, |same| {
        let source = Some(format!("as {}, whose hello is the same", same.name));
        (same.software, ClientPolicy { policy_source: source, ..same.policy })
    });
    ClientProfile {
        name: "recorded-client".to_owned(),
        title: "the recorded client".to_owned(),
        software,
        panel: false,
        source: "recorded from the client itself".to_owned(),
        hello: spec,
        policy,
    }
}

/// Writes a profile; [`client_from_toml`] reads the same again. The name of the server, which is the one asked for when a hello is
/// sent, is not kept, nor is what belongs to one session alone (a ticket, early data).
///
/// # Errors
/// Says what of the hello cannot be told in a file.
pub fn client_to_toml(client: &ClientProfile) -> Result<String, String> {
    let ClientProfile { name, title, software, panel, source, hello, policy } = client.clone();
    let hello = Hello::of(&hello)?;
    let file = File { name, title, software, panel, source, hello, policy };
    toml::to_string(&file).map_err(|error| error.to_string())
}

#[derive(Deserialize, Serialize)]
struct File {
    name: String,
    title: String,
    source: String,
    #[serde(default)]
    panel: bool,
    #[serde(default)]
    software: Software,
    hello: Hello,
    #[serde(default)]
    policy: ClientPolicy,
}

/// The hello as a person writes it: lists by name, the extensions' order apart.
#[derive(Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Hello {
    record_version: String,
    legacy_version: String,
    session_id_length: u8,
    compression: Vec<u8>,
    cipher_suites: Vec<String>,
    extensions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    supported_groups: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_shares: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signature_algorithms: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signature_algorithms_cert: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    supported_versions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alpn: Vec<String>,
    ec_point_formats: Vec<u8>,
    psk_key_exchange_modes: Vec<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    compress_certificate: Vec<u16>,
    record_size_limit: Option<u16>,
    pad_to: Option<u16>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    raw: BTreeMap<String, String>,
}

impl Default for Hello {
    fn default() -> Self {
        Hello {
            record_version: "TLSv1.0".to_owned(),
            legacy_version: "TLSv1.2".to_owned(),
            session_id_length: 0,
            compression: vec![0],
            cipher_suites: Vec::new(),
            extensions: None,
            supported_groups: Vec::new(),
            key_shares: Vec::new(),
            signature_algorithms: Vec::new(),
            signature_algorithms_cert: Vec::new(),
            supported_versions: Vec::new(),
            alpn: Vec::new(),
            ec_point_formats: vec![0],
            psk_key_exchange_modes: vec![1],
            compress_certificate: Vec::new(),
            record_size_limit: None,
            pad_to: None,
            raw: BTreeMap::new(),
        }
    }
}

impl Hello {
    /// The other way round. What has no key of its own, or says something other than its key can, is kept byte for byte.
    fn of(spec: &HelloSpec) -> Result<Hello, String> {
        if spec.format != HelloFormat::Tls {
            return Err("a hello in the form of SSL 2.0 cannot be written as a profile".to_owned());
        }
        let mut hello = Hello {
            record_version: spec.record_version.to_string(),
            legacy_version: spec.legacy_version.to_string(),
            session_id_length: spec.session_id_length,
            compression: spec.compression.clone(),
            cipher_suites: names(&spec.cipher_suites),
            pad_to: spec.pad_to,
            ..Hello::default()
        };
        let of_one_session = [ExtensionType::PRE_SHARED_KEY, ExtensionType::EARLY_DATA, ExtensionType::COOKIE];
        let Some(extensions) = &spec.extensions else { return Ok(hello) };
        let kept = extensions.iter().filter(|extension| !of_one_session.contains(&extension.extension_type()));
        let kept: Vec<&ExtensionSpec> = kept.collect();
        hello.extensions = Some(kept.iter().map(|extension| extension.extension_type().to_string()).collect());
        for extension in kept {
            hello.tell(extension);
        }
        Ok(hello)
    }

    /// Takes an extension's body into its key.
    fn tell(&mut self, extension: &ExtensionSpec) {
        let name = extension.extension_type().to_string();
        match extension {
            ExtensionSpec::SupportedVersions(versions) => self.supported_versions = names(versions),
            ExtensionSpec::SupportedGroups(groups) => self.supported_groups = names(groups),
            ExtensionSpec::KeyShare(groups) => self.key_shares = names(groups),
            ExtensionSpec::SignatureAlgorithms(schemes) => self.signature_algorithms = names(schemes),
            ExtensionSpec::SignatureAlgorithmsCert(schemes) => self.signature_algorithms_cert = names(schemes),
            ExtensionSpec::Alpn(protocols) => self.alpn.clone_from(protocols),
            ExtensionSpec::EcPointFormats(formats) => self.ec_point_formats.clone_from(formats),
            ExtensionSpec::PskKeyExchangeModes(modes) => self.psk_key_exchange_modes.clone_from(modes),
            ExtensionSpec::CompressCertificate(algorithms) => self.compress_certificate.clone_from(algorithms),
            ExtensionSpec::RecordSizeLimit(limit) => self.record_size_limit = Some(*limit),
            // The name itself is set when the hello is sent, however it was written here.
            ExtensionSpec::Raw { extension_type: ExtensionType::SERVER_NAME, .. } => {}
            // Of a ticket only that the client takes them.
            ExtensionSpec::Raw { extension_type: ExtensionType::SESSION_TICKET, .. } => {}
            ExtensionSpec::Raw { body, .. } => {
                self.raw.insert(name, Bytes(body.clone()).to_hex());
            }
            ExtensionSpec::Padding(length @ 1..) => {
                self.raw.insert(name, Bytes(vec![0; usize::from(*length)]).to_hex());
            }
            _ => {}
        }
    }

    fn to_spec(&self) -> Result<HelloSpec, String> {
        let extensions = match &self.extensions {
            Some(names) => Some(names.iter().map(|name| self.extension(name)).collect::<Result<Vec<_>, String>>()?),
            None => None,
        };
        if self.cipher_suites.is_empty() {
            return Err("hello.cipher_suites is empty: a hello offers at least one suite".to_owned());
        }
        Ok(HelloSpec {
            record_version: value("hello.record_version", &self.record_version)?,
            legacy_version: value("hello.legacy_version", &self.legacy_version)?,
            cipher_suites: values::<CipherSuite>("hello.cipher_suites", &self.cipher_suites)?,
            compression: self.compression.clone(),
            session_id_length: self.session_id_length.min(32),
            extensions,
            pad_to: self.pad_to,
            ..HelloSpec::default()
        })
    }

    fn extension(&self, name: &str) -> Result<ExtensionSpec, String> {
        let extension_type: ExtensionType = value("hello.extensions", name)?;
        if let Some(body) = self.raw.get(name) {
            let body = Bytes::from_hex(body).ok_or_else(|| format!("hello.raw.{name} is not hexadecimal"))?;
            return Ok(ExtensionSpec::Raw { extension_type, body: body.0 });
        }
        Ok(match extension_type {
            // The name itself is set when the hello is sent.
            ExtensionType::SERVER_NAME => ExtensionSpec::ServerName(String::new()),
            ExtensionType::SUPPORTED_VERSIONS => ExtensionSpec::SupportedVersions(values::<ProtocolVersion>(
                "hello.supported_versions",
                &self.supported_versions,
            )?),
            ExtensionType::SUPPORTED_GROUPS => {
                ExtensionSpec::SupportedGroups(values::<NamedGroup>("hello.supported_groups", &self.supported_groups)?)
            }
            ExtensionType::KEY_SHARE => ExtensionSpec::KeyShare(values::<NamedGroup>("hello.key_shares", &self.key_shares)?),
            ExtensionType::SIGNATURE_ALGORITHMS => ExtensionSpec::SignatureAlgorithms(values::<SignatureScheme>(
                "hello.signature_algorithms",
                &self.signature_algorithms,
            )?),
            ExtensionType::SIGNATURE_ALGORITHMS_CERT => ExtensionSpec::SignatureAlgorithmsCert(values::<SignatureScheme>(
                "hello.signature_algorithms_cert",
                &self.signature_algorithms_cert,
            )?),
            ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION => ExtensionSpec::Alpn(self.alpn.clone()),
            ExtensionType::EC_POINT_FORMATS => ExtensionSpec::EcPointFormats(self.ec_point_formats.clone()),
            ExtensionType::RENEGOTIATION_INFO => ExtensionSpec::RenegotiationInfo,
            ExtensionType::EXTENDED_MASTER_SECRET => ExtensionSpec::ExtendedMasterSecret,
            ExtensionType::ENCRYPT_THEN_MAC => ExtensionSpec::EncryptThenMac,
            ExtensionType::SESSION_TICKET => ExtensionSpec::SessionTicket,
            ExtensionType::STATUS_REQUEST => ExtensionSpec::StatusRequest,
            ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => ExtensionSpec::SignedCertificateTimestamp,
            ExtensionType::PSK_KEY_EXCHANGE_MODES => ExtensionSpec::PskKeyExchangeModes(self.psk_key_exchange_modes.clone()),
            ExtensionType::COMPRESS_CERTIFICATE => ExtensionSpec::CompressCertificate(self.compress_certificate.clone()),
            ExtensionType::RECORD_SIZE_LIMIT => ExtensionSpec::RecordSizeLimit(self.record_size_limit.unwrap_or(16385)),
            ExtensionType::POST_HANDSHAKE_AUTH => ExtensionSpec::PostHandshakeAuth,
            ExtensionType::PADDING => ExtensionSpec::Padding(0),
            grease if grease.is_grease() => ExtensionSpec::Grease(grease.0),
            other => ExtensionSpec::Raw { extension_type: other, body: Vec::new() },
        })
    }
}

fn names<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(T::to_string).collect()
}

fn value<T: FromStr>(key: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{key}: unknown name {:?} (an IANA name, or a number such as 0x0a0a)", printable(text, 80)))
}

fn values<T: FromStr>(key: &str, texts: &[String]) -> Result<Vec<T>, String> {
    texts.iter().map(|text| value(key, text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_profile_reads_names_itself_after_its_file_and_has_a_source() {
        let clients = clients().unwrap();
        for ((file, _), client) in FILES.iter().zip(&clients) {
            assert_eq!(*file, format!("{}.toml", client.name));
            assert!(!client.source.is_empty(), "{file}");
            assert!(!client.hello.real_suites().is_empty(), "{file}");
        }
        assert!(client(FALLBACK).is_some());
        assert_eq!(panel().len(), 10);
    }

    #[test]
    fn a_profile_that_is_written_reads_the_same_again() {
        for client in clients().unwrap() {
            let text = client_to_toml(&client).unwrap();
            assert_eq!(client_from_toml(&text).unwrap(), client, "{text}");
        }
    }

    #[test]
    fn a_wrong_name_is_refused_with_its_key() {
        let text = include_str!("clients/openssl-3.0.toml").replace("\"x25519\",", "\"x25518\",");
        let error = client_from_toml(&text).unwrap_err();
        assert!(error.contains("supported_groups") && error.contains("x25518"), "{error}");
    }
}
