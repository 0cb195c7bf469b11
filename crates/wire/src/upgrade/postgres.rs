//! PostgreSQL: the client speaks first, an SSLRequest of eight bytes; one byte answers
//! (PostgreSQL manual, "Message Flow", "SSL Session Encryption").

use super::Upgrade;
use crate::dialogue::{Driver, Script, Turn, printable, quote};

/// PostgreSQL. Since version 17 a server also takes TLS at once, with ALPN `postgresql`, on the same port.
pub(super) static UPGRADE: Upgrade = Upgrade {
    name: "postgres",
    aliases: &["postgresql", "pgsql"],
    title: "PostgreSQL",
    scheme: "postgres",
    tls_scheme: None,
    port: 5432,
    reference: "https://www.postgresql.org/docs/current/protocol-flow.html",
    openssl: Some("postgres"),
    start: |_| Driver::start(Postgres),
    serve: || Driver::start(PostgresServer),
};

/// Length 8, then the request code 1234 << 16 | 5679.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The same for encryption by GSSAPI, which clients may ask for first: 1234 << 16 | 5680.
const GSSAPI_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];

struct Postgres;

impl Script for Postgres {
    fn opening(&mut self) -> Result<Vec<u8>, String> {
        Ok(SSL_REQUEST.to_vec())
    }

    fn read(&mut self, input: &[u8]) -> Turn {
        match *input {
            [b'S', ..] => Turn::ready(1),
            [b'N', ..] => Turn::Refused("the server answers N: TLS is switched off or not built in".to_owned()),
            [b'E', ref rest @ ..] => match error_message(rest) {
                Some(message) => Turn::Refused(format!("the server answers with an error: {}", quote(message))),
                None => Turn::Wait,
            },
            [first, ..] => {
                Turn::Refused(format!("the server answers \"{}\" where PostgreSQL says S or N", printable(&[first])))
            }
            [] => Turn::Wait,
        }
    }
}

struct PostgresServer;

impl Script for PostgresServer {
    const PEER: &'static str = "the client";

    fn read(&mut self, input: &[u8]) -> Turn {
        match input.first_chunk::<8>() {
            None => Turn::Wait,
            Some(&SSL_REQUEST) => Turn::Ready { used: 8, send: b"S".to_vec() },
            Some(&GSSAPI_REQUEST) => Turn::say(8, "N"),
            Some(_) => Turn::Refused("the client begins a session without having asked for TLS".to_owned()),
        }
    }
}

/// The message of an ErrorResponse, once all of it is there. `body` follows the letter E: a length and fields, each a letter
/// and a string that ends in NUL; or, from servers before 7.4 and some poolers, bare text that ends in NUL.
pub(crate) fn error_message(body: &[u8]) -> Option<&[u8]> {
    if *body.first()? != 0 {
        return body.split_at_checked(body.iter().position(|&byte| byte == 0)?).map(|(text, _)| text);
    }
    let length = u32::from_be_bytes(*body.first_chunk()?);
    let fields = body.get(4..usize::try_from(length).ok()?.max(4))?;
    let message = fields.split(|&byte| byte == 0).find_map(|field| field.strip_prefix(b"M"));
    Some(message.unwrap_or(fields))
}
