//! MySQL and MariaDB: the server greets with its handshake packet, the client answers with an SSLRequest packet
//! (MySQL source documentation, "Protocol::Handshake", "Protocol::SSLRequest").

use super::Upgrade;
use crate::dialogue::{Driver, Script, Turn, quote};

/// MySQL and MariaDB.
pub(super) static UPGRADE: Upgrade = Upgrade {
    name: "mysql",
    aliases: &["mariadb"],
    title: "MySQL",
    scheme: "mysql",
    tls_scheme: None,
    port: 3306,
    reference: "https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html",
    openssl: Some("mysql"),
    start: |_| Driver::start(Mysql),
    serve: || Driver::start(MysqlServer),
};

const CLIENT_LONG_PASSWORD: u32 = 0x0001;
const CLIENT_CONNECT_WITH_DB: u32 = 0x0008;
const CLIENT_PROTOCOL_41: u32 = 0x0200;
const CLIENT_SSL: u32 = 0x0800;
const CLIENT_SECURE_CONNECTION: u32 = 0x8000;
const CLIENT_PLUGIN_AUTH: u32 = 0x0008_0000;

struct Mysql;

impl Script for Mysql {
    fn read(&mut self, input: &[u8]) -> Turn {
        match Greeting::read(input) {
            Ok(None) => Turn::Wait,
            Ok(Some(Greeting::Hello { capabilities, .. })) if u32::from(capabilities) & CLIENT_SSL != 0 => {
                let Some(packet) = packet(input) else {
                    return Turn::Wait;
                };
                Turn::Ready { used: packet.used, send: ssl_request(packet.sequence.wrapping_add(1)) }
            }
            Ok(Some(Greeting::Hello { version, .. })) => Turn::Refused(format!(
                "the server (version {}) does not offer TLS: CLIENT_SSL is not among its capabilities",
                quote(version)
            )),
            Ok(Some(Greeting::Error { code, message })) => {
                Turn::Refused(format!("the server greets with error {code}: {}", quote(message)))
            }
            Err(NotMysql) => Turn::Refused(format!(
                "the server said {} where a MySQL handshake was expected",
                quote(input.get(..5).unwrap_or(input))
            )),
        }
    }
}

struct MysqlServer;

impl Script for MysqlServer {
    const PEER: &'static str = "the client";

    fn opening(&mut self) -> Result<Vec<u8>, String> {
        Ok(greeting())
    }

    fn read(&mut self, input: &[u8]) -> Turn {
        let Some(packet) = packet(input) else {
            return Turn::Wait;
        };
        match packet.payload.first_chunk() {
            Some(flags) if packet.payload.len() == SSL_REQUEST_LENGTH && u32::from_le_bytes(*flags) & CLIENT_SSL != 0 => {
                Turn::ready(packet.used)
            }
            _ => Turn::Refused("the client goes on without having asked for TLS".to_owned()),
        }
    }
}

/// Length of the packet that asks for TLS: flags, largest packet, character set, filler.
const SSL_REQUEST_LENGTH: usize = 32;

/// HandshakeV10 of a server that offers TLS. The challenge is no secret: nobody logs in here.
fn greeting() -> Vec<u8> {
    const CHALLENGE: [u8; 20] = [b't'; 20];
    let capabilities = CLIENT_LONG_PASSWORD
        | CLIENT_CONNECT_WITH_DB
        | CLIENT_PROTOCOL_41
        | CLIENT_SSL
        | CLIENT_SECURE_CONNECTION
        | CLIENT_PLUGIN_AUTH;
    let [first, second, third, fourth] = capabilities.to_le_bytes();
    let mut payload = b"\x0a8.0.0-tlswhy\0".to_vec();
    payload.extend(1u32.to_le_bytes()); // thread
    payload.extend(CHALLENGE.iter().take(8));
    payload.extend([0, first, second]);
    payload.push(45); // utf8mb4_general_ci
    payload.extend([2, 0]); // autocommit
    payload.extend([third, fourth]);
    payload.push(21); // length of the challenge with its NUL
    payload.extend([0; 10]);
    payload.extend(CHALLENGE.iter().skip(8));
    payload.extend(b"\0mysql_native_password\0");
    let [low, middle, high, _] = u32::try_from(payload.len()).unwrap_or(0).to_le_bytes();
    [&[low, middle, high, 0], payload.as_slice()].concat()
}

fn ssl_request(sequence: u8) -> Vec<u8> {
    let mut bytes = vec![32, 0, 0, sequence];
    bytes.extend((CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH).to_le_bytes());
    bytes.extend((1u32 << 24).to_le_bytes()); // largest packet
    bytes.push(45); // utf8mb4_general_ci
    bytes.extend([0; 23]);
    bytes
}

/// What a server says first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Greeting<'a> {
    /// HandshakeV10: its version text and the lower half of its capabilities.
    Hello { version: &'a [u8], capabilities: u16 },
    /// ERR packet, e.g. 1129 (host blocked) or 1130 (host not allowed).
    Error { code: u16, message: &'a [u8] },
}

/// These bytes begin no MySQL greeting.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotMysql;

struct Packet<'a> {
    sequence: u8,
    payload: &'a [u8],
    used: usize,
}

/// Length in three bytes, low byte first; a sequence number; the payload. None until all of it is there.
fn packet(input: &[u8]) -> Option<Packet<'_>> {
    let &[low, middle, high, sequence] = input.first_chunk()?;
    let used = 4 + (usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16);
    Some(Packet { sequence, payload: input.get(4..used)?, used })
}

impl<'a> Greeting<'a> {
    /// Reads the first packet; `Ok(None)` until it is complete. Five bytes are enough to say that it is not MySQL.
    pub(crate) fn read(input: &'a [u8]) -> Result<Option<Self>, NotMysql> {
        let Some(&[_, middle, high, sequence, kind]) = input.first_chunk() else {
            return Ok(None);
        };
        // Greetings are short: a length beyond 4096 is another protocol's text. An error may come as packet 0 or 1.
        if high != 0 || middle >= 16 || sequence > 1 || !matches!(kind, 0x0a | 0xff) {
            return Err(NotMysql);
        }
        let Some(packet) = packet(input) else {
            return Ok(None);
        };
        match packet.payload {
            [0x0a, rest @ ..] => {
                let end = rest.iter().position(|&byte| byte == 0).ok_or(NotMysql)?;
                let (version, rest) = rest.split_at_checked(end).ok_or(NotMysql)?;
                // NUL, thread id (4), challenge (8), filler (1), capabilities (2).
                let &[low, high] = rest.get(14..16).and_then(|bytes| bytes.first_chunk()).ok_or(NotMysql)?;
                Ok(Some(Greeting::Hello { version, capabilities: u16::from_le_bytes([low, high]) }))
            }
            [0xff, low, high, message @ ..] => {
                // '#' and an SQLSTATE of five characters, from servers that know the client speaks 4.1.
                let message = if message.first() == Some(&b'#') { message.get(6..).unwrap_or_default() } else { message };
                Ok(Some(Greeting::Error { code: u16::from_le_bytes([*low, *high]), message }))
            }
            _ => Err(NotMysql),
        }
    }
}
