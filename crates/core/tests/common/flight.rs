//! A TLS server made of lists: it negotiates as RFC 5246 and RFC 8446 say and answers a probe with bytes, without a network.
//! It shows no certificate and computes no key; what it encrypts is given as decrypted.

use tlswhy_model::{Answer, Asked, Attempt, Awaited, Bytes, Depth, Ending, Opening, Probe, Question, Resolution, Timing};
use tlswhy_wire::{
    AlertDescription, AlertLevel, Authentication, CipherSuite, ExtensionType, HelloFormat, HelloSpec, KeyExchange, KeyMaterial,
    NamedGroup, ProtocolVersion, SignatureScheme,
};

/// The random of a HelloRetryRequest (RFC 8446 §4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16,
    0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What the server can do, in the order of its preference.
#[derive(Clone, Debug)]
pub struct Server {
    pub versions: Vec<ProtocolVersion>,
    pub suites: Vec<CipherSuite>,
    pub groups: Vec<NamedGroup>,
    pub schemes: Vec<SignatureScheme>,
    /// `None`: it ignores ALPN.
    pub alpn: Option<Vec<String>>,
    /// `None`: it takes any name, and none.
    pub name: Option<String>,
    pub secure_renegotiation: bool,
    pub extended_master_secret: bool,
    pub dh_bits: usize,
    /// It ends the handshake for want of a client certificate.
    pub wants_certificate: bool,
    /// It closes the connection on longer hello messages, bytes.
    pub longest_hello: usize,
}

impl Default for Server {
    /// A server of today, with an RSA key.
    fn default() -> Self {
        Server {
            versions: vec![ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2],
            suites: vec![
                CipherSuite::TLS_AES_256_GCM_SHA384,
                CipherSuite::TLS_AES_128_GCM_SHA256,
                CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            ],
            groups: vec![NamedGroup::X25519, NamedGroup::SECP256R1],
            schemes: vec![SignatureScheme::RSA_PSS_RSAE_SHA256, SignatureScheme::RSA_PKCS1_SHA256],
            alpn: None,
            name: None,
            secure_renegotiation: true,
            extended_master_secret: true,
            dh_bits: 2048,
            wants_certificate: false,
            longest_hello: usize::MAX,
        }
    }
}

/// What was negotiated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub version: ProtocolVersion,
    pub suite: CipherSuite,
    pub group: Option<NamedGroup>,
    pub scheme: Option<SignatureScheme>,
    pub alpn: Option<String>,
    /// The client sent no share for the group.
    pub retry: bool,
}

/// How the server ends a handshake before its first flight.
pub type Refusal = Option<AlertDescription>;

impl Server {
    /// Answers a question.
    pub fn answer(&self, asked: &Asked) -> Answer {
        match &asked.question {
            Question::Resolve { host } => {
                let addresses = host.parse().map_or_else(|_| vec![[127, 0, 0, 1].into()], |address| vec![address]);
                Answer::Resolved(Resolution { host: host.clone(), addresses, error: None, elapsed_ms: 0.1 })
            }
            Question::Probe(probe) => Answer::Attempted(Box::new(self.attempt(probe))),
            _ => Answer::Unavailable,
        }
    }

    /// What comes of a probe.
    pub fn attempt(&self, probe: &Probe) -> Attempt {
        let Opening::Hello { hello } = &probe.opening else {
            return attempt(probe, Vec::new(), None, Ending::Closed { awaited: Awaited::ServerHello });
        };
        match self.negotiate(hello) {
            Ok(choice) => self.flight(probe, hello, &choice),
            Err(None) => attempt(probe, Vec::new(), None, Ending::Closed { awaited: Awaited::ServerHello }),
            Err(Some(description)) => {
                let bytes = record(21, &[2, description.0]);
                attempt(probe, bytes, None, alert(description, Awaited::ServerHello, false))
            }
        }
    }

    /// What the server chooses; `Err` with an alert, or with none where it closes the connection.
    pub fn negotiate(&self, hello: &HelloSpec) -> Result<Choice, Refusal> {
        if hello.format == HelloFormat::Sslv2 || hello.message_length() > self.longest_hello {
            return Err(None);
        }
        if self.name.as_deref().is_some_and(|name| hello.server_name() != Some(name)) {
            return Err(Some(AlertDescription::UNRECOGNIZED_NAME));
        }
        let offered = hello.offered_versions();
        let by_extension = hello.extension(ExtensionType::SUPPORTED_VERSIONS).is_some();
        let version = self.versions.iter().copied().filter(|version| match by_extension {
            true => offered.contains(version),
            false => *version <= hello.legacy_version && *version <= ProtocolVersion::TLSV1_2,
        });
        let version = version.max().ok_or(Some(AlertDescription::PROTOCOL_VERSION))?;
        let suites = self.suites.iter().filter(|suite| hello.cipher_suites.contains(suite));
        let usable = suites.filter(|suite| suite.details().is_some_and(|row| row.usable_with(version)));
        let choice = usable.copied().find_map(|suite| self.with_suite(hello, version, suite));
        let choice = choice.ok_or(Some(AlertDescription::HANDSHAKE_FAILURE))?;
        let alpn = match &self.alpn {
            Some(names) if !hello.alpn().is_empty() => {
                let common = names.iter().find(|name| hello.alpn().contains(name));
                Some(common.cloned().ok_or(Some(AlertDescription::NO_APPLICATION_PROTOCOL))?)
            }
            _ => None,
        };
        Ok(Choice { alpn, ..choice })
    }

    fn with_suite(&self, hello: &HelloSpec, version: ProtocolVersion, suite: CipherSuite) -> Option<Choice> {
        let row = suite.details().unwrap();
        let modern = version == ProtocolVersion::TLSV1_3;
        let elliptic = modern || row.key_exchange == KeyExchange::Ecdhe;
        let offered = hello.groups();
        let shares = hello.key_shares();
        let mut groups = self.groups.iter().copied().filter(|group| offered.contains(group));
        let group = match elliptic {
            // TLS 1.3: rather a group with a share than another exchange of hellos.
            true if modern => groups.clone().find(|group| shares.contains(group)).or_else(|| groups.next()),
            true if offered.is_empty() => self.groups.first().copied(),
            true => groups.next(),
            false => None,
        };
        if elliptic && group.is_none() {
            return None;
        }
        let signed = modern || matches!(row.key_exchange, KeyExchange::Ecdhe | KeyExchange::Dhe);
        let scheme = match hello.signature_schemes() {
            _ if !signed || version < ProtocolVersion::TLSV1_2 => None,
            None if modern => return None,
            None => Some(SignatureScheme::RSA_PKCS1_SHA1),
            Some(offered) => {
                let fits = |scheme: &SignatureScheme| fits(*scheme, row.authentication, modern);
                Some(self.schemes.iter().copied().find(|scheme| offered.contains(scheme) && fits(scheme))?)
            }
        };
        let retry = modern && group.is_some_and(|group| !shares.contains(&group));
        Some(Choice { version, suite, group, scheme, alpn: None, retry })
    }

    fn flight(&self, probe: &Probe, hello: &HelloSpec, choice: &Choice) -> Attempt {
        let modern = choice.version == ProtocolVersion::TLSV1_3;
        let mut received = Vec::new();
        if choice.retry {
            received = record(22, &self.server_hello(RETRY, hello, choice));
        }
        received.extend(record(22, &self.server_hello([7; 32], hello, choice)));
        let mut rest = Vec::new();
        if modern {
            rest.extend(message(8, &vector16(&alpn_extension(choice))));
            if self.wants_certificate {
                let schemes = [0, 13, 0, 4, 0, 2, 4, 3];
                rest.extend(message(13, &[&[0][..], &vector16(&schemes)].concat()));
            }
            let verify = [&choice.scheme.unwrap().0.to_be_bytes()[..], &vector16(&[1; 64])].concat();
            rest.extend(message(15, &verify));
            received.extend(record(23, &[0x55; 80]));
        } else {
            let exchange = choice.suite.details().unwrap().key_exchange;
            let mut params = match exchange {
                KeyExchange::Ecdhe => {
                    let group = choice.group.unwrap_or(NamedGroup::SECP256R1).0.to_be_bytes();
                    [&[3][..], &group, &[32], &[9; 32]].concat()
                }
                KeyExchange::Dhe => {
                    let prime = vec![0xff; self.dh_bits / 8];
                    [vector16(&prime), vector16(&[2]), vector16(&prime)].concat()
                }
                _ => Vec::new(),
            };
            if !params.is_empty() {
                params.extend(choice.scheme.iter().flat_map(|scheme| scheme.0.to_be_bytes()));
                params.extend(vector16(&[1; 64]));
                received.extend(record(22, &message(12, &params)));
            }
            if self.wants_certificate {
                let schemes = if choice.version == ProtocolVersion::TLSV1_2 { vector16(&[4, 1]) } else { Vec::new() };
                received.extend(record(22, &message(13, &[&[1, 1][..], &schemes, &[0, 0]].concat())));
            }
            received.extend(record(22, &message(14, &[])));
        }
        let ending = match probe.depth {
            Depth::Flight => Ending::Answered,
            _ if self.wants_certificate && modern => {
                alert(AlertDescription::CERTIFICATE_REQUIRED, Awaited::AfterFinished, true)
            }
            _ if self.wants_certificate => {
                received.extend(record(21, &[2, AlertDescription::HANDSHAKE_FAILURE.0]));
                alert(AlertDescription::HANDSHAKE_FAILURE, Awaited::ServerFinished, false)
            }
            _ => Ending::Completed,
        };
        attempt(probe, received, modern.then_some(rest), ending)
    }

    fn server_hello(&self, random: [u8; 32], hello: &HelloSpec, choice: &Choice) -> Vec<u8> {
        let modern = choice.version == ProtocolVersion::TLSV1_3;
        let mut extensions = Vec::new();
        if modern {
            extensions.extend(extension(43, &choice.version.0.to_be_bytes()));
            let group = choice.group.unwrap().0.to_be_bytes();
            let share = if random == RETRY { group.to_vec() } else { [&group[..], &vector16(&[9; 32])].concat() };
            extensions.extend(extension(51, &share));
        } else {
            if self.secure_renegotiation && hello.offers_renegotiation_info() {
                extensions.extend(extension(0xff01, &[0]));
            }
            if self.extended_master_secret && hello.extension(ExtensionType::EXTENDED_MASTER_SECRET).is_some() {
                extensions.extend(extension(23, &[]));
            }
            extensions.extend(alpn_extension(choice));
        }
        let legacy = if modern { ProtocolVersion::TLSV1_2 } else { choice.version };
        let session_id = vec![6; if modern { hello.session_id_length.into() } else { 0 }];
        let mut body = [&legacy.0.to_be_bytes()[..], &random, &[session_id.len() as u8], &session_id].concat();
        body.extend(choice.suite.0.to_be_bytes());
        body.push(0);
        if !extensions.is_empty() {
            body.extend(vector16(&extensions));
        }
        message(2, &body)
    }
}

/// Whether a signature of this scheme can come from the key that the suite wants.
fn fits(scheme: SignatureScheme, authentication: Authentication, modern: bool) -> bool {
    let name = scheme.name().unwrap_or_default();
    let old = name.starts_with("rsa_pkcs1") || name.ends_with("sha1") || name.ends_with("sha224");
    match authentication {
        _ if modern => !old,
        Authentication::Rsa => name.starts_with("rsa_"),
        _ => name.starts_with("ecdsa_") || name.starts_with("ed"),
    }
}

/// An attempt with these bytes and this ending.
pub fn attempt(probe: &Probe, received: Vec<u8>, decrypted: Option<Vec<u8>>, ending: Ending) -> Attempt {
    let connected = !matches!(ending, Ending::Refused | Ending::Unreachable { .. } | Ending::ConnectTimedOut { .. });
    let sent = match &probe.opening {
        Opening::Hello { hello } if connected => {
            let key_shares = hello.key_shares().into_iter().map(|group| (group, vec![3; 32])).collect();
            let material = KeyMaterial { random: [5; 32], session_id: vec![6; hello.session_id_length.into()], key_shares };
            hello.encode(&material).unwrap().records
        }
        _ => Vec::new(),
    };
    Attempt {
        id: 0,
        round: 0,
        probe: probe.clone(),
        address: probe.address.map(|address| std::net::SocketAddr::new(address, probe.port).to_string()),
        timing: Timing { ended_ms: 1.0, ..Timing::default() },
        dialogue: Vec::new(),
        sent: Bytes(sent),
        received: Bytes(received),
        decrypted: decrypted.map(Bytes),
        application: None,
        ending,
        remarks: Vec::new(),
        forged_reset: Vec::new(),
    }
}

pub fn alert(description: AlertDescription, awaited: Awaited, encrypted: bool) -> Ending {
    Ending::Alert { level: AlertLevel(2), description, awaited, encrypted }
}

fn alpn_extension(choice: &Choice) -> Vec<u8> {
    let name = choice.alpn.iter().map(|name| vector16(&[&[name.len() as u8], name.as_bytes()].concat()));
    name.flat_map(|list| extension(16, &list)).collect()
}

pub fn record(content_type: u8, payload: &[u8]) -> Vec<u8> {
    [&[content_type, 3, 3][..], &vector16(payload)].concat()
}

pub fn message(handshake_type: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    [&[handshake_type][..], &length[1..], body].concat()
}

fn extension(number: u16, body: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &vector16(body)].concat()
}

fn vector16(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u16).to_be_bytes()[..], body].concat()
}
