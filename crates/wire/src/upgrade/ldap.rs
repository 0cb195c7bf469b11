//! LDAP: the StartTLS extended operation, 1.3.6.1.4.1.1466.20037 (RFC 4511 §4.14).

use super::Upgrade;
use crate::dialogue::{Driver, Script, Turn, quote};

/// LDAP.
pub(super) static UPGRADE: Upgrade = Upgrade {
    name: "ldap",
    aliases: &[],
    title: "LDAP",
    scheme: "ldap",
    tls_scheme: Some(("ldaps", 636)),
    port: 389,
    reference: "RFC 4511 section 4.14",
    openssl: Some("ldap"),
    start: |_| Driver::start(Ldap),
    serve: || Driver::start(LdapServer),
};

const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

const SEQUENCE: u8 = 0x30;

/// SEQUENCE { messageID 1, [APPLICATION 23] { [0] OID } }, up to the OID.
const REQUEST: &[u8] = &[SEQUENCE, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16];

struct Ldap;

impl Script for Ldap {
    fn opening(&mut self) -> Result<Vec<u8>, String> {
        Ok([REQUEST, START_TLS].concat())
    }

    fn read(&mut self, input: &[u8]) -> Turn {
        let (response, used) = match ExtendedResponse::read(input) {
            Ok(Some(response)) => response,
            Ok(None) => return Turn::Wait,
            Err(NotLdap) => return Turn::Refused(not_ldap(input)),
        };
        let said = format!("result {} ({}) {}", response.result, result_name(response.result), quote(response.diagnostic));
        match (response.message_id, response.result) {
            (1, 0) => Turn::ready(used),
            (1, _) => Turn::Refused(format!("the server refuses StartTLS: {said}")),
            (0, _) => Turn::Refused(format!("the server ends the connection: {said}")),
            (other, _) => Turn::Refused(format!("the server answers a message {other} that was never sent: {said}")),
        }
    }
}

struct LdapServer;

impl Script for LdapServer {
    const PEER: &'static str = "the client";

    fn read(&mut self, input: &[u8]) -> Turn {
        match request(input) {
            Ok(None) => Turn::Wait,
            Ok(Some(Request { id, starts_tls: true, used })) => Turn::Ready { used, send: success(id) },
            Ok(Some(_)) => Turn::Refused("the client asks for something else than StartTLS".to_owned()),
            Err(NotLdap) => Turn::Refused("the client said something that is no LDAP request".to_owned()),
        }
    }
}

/// A request, and the content of its message identifier.
struct Request<'a> {
    id: &'a [u8],
    starts_tls: bool,
    used: usize,
}

/// Reads one LDAPMessage; `Ok(None)` until it is complete.
fn request(input: &[u8]) -> Result<Option<Request<'_>>, NotLdap> {
    let Some((message, rest)) = element(input, SEQUENCE)? else {
        return Ok(None);
    };
    let (id, body) = element(message, 0x02)?.ok_or(NotLdap)?;
    integer(id)?;
    let asks = || element(element(body, 0x77).ok()??.0, 0x80).ok().flatten();
    let starts_tls = asks().is_some_and(|(name, _)| name == START_TLS);
    Ok(Some(Request { id, starts_tls, used: input.len() - rest.len() }))
}

/// SEQUENCE { messageID, [APPLICATION 24] { success, "", "" } }; the identifier has at most four bytes.
fn success(id: &[u8]) -> Vec<u8> {
    const RESPONSE: [u8; 9] = [0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00];
    let length = u8::try_from(id.len()).unwrap_or(0);
    [&[SEQUENCE, 2 + length + 9, 0x02, length], id, &RESPONSE].concat()
}

/// Only the first byte may be told: how many more have arrived by now is chance.
fn not_ldap(input: &[u8]) -> String {
    match input.first() {
        Some(first) if *first != SEQUENCE => {
            format!("the server said {} where an LDAP response was expected", quote(&[*first]))
        }
        _ => "the server's answer is malformed: no LDAP response".to_owned(),
    }
}

/// An extended response: to StartTLS, or the unsolicited notice of disconnection (message 0).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ExtendedResponse<'a> {
    pub(crate) message_id: u32,
    pub(crate) result: u32,
    pub(crate) diagnostic: &'a [u8],
}

/// These bytes are no LDAP extended response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotLdap;

impl<'a> ExtendedResponse<'a> {
    /// Reads one LDAPMessage; `Ok(None)` until it is complete.
    pub(crate) fn read(input: &'a [u8]) -> Result<Option<(Self, usize)>, NotLdap> {
        let Some((message, rest)) = element(input, SEQUENCE)? else {
            return Ok(None);
        };
        let whole = |input, tag| element(input, tag)?.ok_or(NotLdap);
        let (id, body) = whole(message, 0x02)?;
        let (response, _) = whole(body, 0x78)?;
        let (result, response) = whole(response, 0x0a)?;
        let (_matched_name, response) = whole(response, 0x04)?;
        let (diagnostic, _) = whole(response, 0x04)?;
        let message = ExtendedResponse { message_id: integer(id)?, result: integer(result)?, diagnostic };
        Ok(Some((message, input.len() - rest.len())))
    }
}

/// The content of a BER element, and what follows it.
type Element<'a> = (&'a [u8], &'a [u8]);

/// Reads the element with this tag; `Ok(None)` while it is not all there.
fn element(input: &[u8], tag: u8) -> Result<Option<Element<'_>>, NotLdap> {
    let (length, rest) = match *input {
        [first, ..] if first != tag => return Err(NotLdap),
        [_, short @ 0..=0x7f, ref rest @ ..] => (usize::from(short), rest),
        // Active Directory pads lengths to four bytes.
        [_, long @ 0x81..=0x84, ref rest @ ..] => {
            let Some((digits, rest)) = rest.split_at_checked(usize::from(long & 0x0f)) else {
                return Ok(None);
            };
            (digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit)), rest)
        }
        [_, _, ..] => return Err(NotLdap),
        _ => return Ok(None),
    };
    Ok(rest.split_at_checked(length))
}

fn integer(content: &[u8]) -> Result<u32, NotLdap> {
    match content.len() {
        1..=4 => Ok(content.iter().fold(0, |value, &byte| value << 8 | u32::from(byte))),
        _ => Err(NotLdap),
    }
}

/// The name of a resultCode that StartTLS may meet (RFC 4511 §4.1.9).
fn result_name(result: u32) -> &'static str {
    match result {
        0 => "success",
        1 => "operationsError: TLS is active, or other operations are under way",
        2 => "protocolError: the server does not know StartTLS",
        8 => "strongerAuthRequired",
        10 => "referral: another server does StartTLS",
        11 => "adminLimitExceeded",
        13 => "confidentialityRequired",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable: TLS is not set up",
        53 => "unwillingToPerform",
        80 => "other",
        _ => "unnamed",
    }
}
