//! ServerKeyExchange, whose form depends on the cipher suite.

use std::ops::Range;

use crate::located::{DecodeError, DecodeErrorKind, Located};
use crate::reader::Reader;
use crate::registry::{Authentication, CipherSuite, KeyExchange, NamedGroup, ProtocolVersion, SignatureScheme};

/// `ECCurveType` named_curve (RFC 8422 §5.4).
const NAMED_CURVE: u8 = 3;

/// ServerKeyExchange (RFC 5246 §7.4.3, RFC 8422 §5.4, RFC 4279).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKeyExchange {
    /// The server's half of the key exchange.
    pub params: KeyExchangeParams,
    /// `psk_identity_hint`, with the PSK key exchanges.
    pub psk_identity_hint: Option<Vec<u8>>,
    /// What it is signed with, in TLS 1.2 alone. Before it is MD5 and SHA-1 together for RSA, SHA-1 else.
    pub signature_scheme: Option<Located<SignatureScheme>>,
    /// The signature; empty where the key exchange is not signed (anonymous, PSK).
    pub signature: Vec<u8>,
    /// The bytes that the signature covers, after both randoms.
    pub signed_params: Vec<u8>,
    /// Where these bytes stand in the stored input.
    pub params_span: Range<usize>,
}

/// The parameters of a key exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyExchangeParams {
    /// Finite-field Diffie-Hellman (RFC 5246 §7.4.3).
    Dhe {
        /// `dh_p`, the prime.
        p: Vec<u8>,
        /// `dh_g`, the generator.
        g: Vec<u8>,
        /// `dh_Ys`, the server's public value.
        ys: Vec<u8>,
        /// Length of the prime in bits, without leading zeros.
        prime_bits: u32,
    },
    /// Elliptic-curve Diffie-Hellman over a named group (RFC 8422 §5.4).
    Ecdhe {
        /// The curve.
        group: NamedGroup,
        /// The server's public point.
        point: Vec<u8>,
    },
    /// The same over a curve that is spelled out, which RFC 8422 forbids.
    EcdheExplicit {
        /// `ECCurveType`: 1 explicit_prime, 2 explicit_char2.
        curve_type: u8,
        /// Size of the field in bits.
        field_bits: u32,
        /// The server's public point.
        point: Vec<u8>,
    },
    /// A temporary RSA key of the export suites (RFC 2246 §7.4.3).
    RsaExport {
        /// `rsa_modulus`.
        modulus: Vec<u8>,
        /// `rsa_exponent`.
        exponent: Vec<u8>,
        /// Length of the modulus in bits, without leading zeros.
        modulus_bits: u32,
    },
    /// Nothing but the hint of a pre-shared key (RFC 4279 §2).
    Psk,
    /// A key exchange that is not read: the whole message, signature included.
    Other(Vec<u8>),
}

impl ServerKeyExchange {
    /// Reads the message without its 4-byte header, in the form that it has with this version and suite.
    pub fn parse(mut body: Reader<'_>, version: ProtocolVersion, suite: CipherSuite) -> Result<ServerKeyExchange, DecodeError> {
        let (key_exchange, authentication) = suite
            .details()
            .map_or((KeyExchange::Null, Authentication::Null), |details| (details.key_exchange, details.authentication));
        let has_hint =
            matches!(key_exchange, KeyExchange::Psk | KeyExchange::RsaPsk | KeyExchange::DhePsk | KeyExchange::EcdhePsk);
        let psk_identity_hint =
            if has_hint { Some(body.vector16("ServerKeyExchange.psk_identity_hint")?.rest().to_vec()) } else { None };
        let before = body.clone();
        let params = match key_exchange {
            KeyExchange::Dhe | KeyExchange::DheExport | KeyExchange::DhAnon | KeyExchange::DhePsk => dhe(&mut body)?,
            KeyExchange::Ecdhe | KeyExchange::EcdhAnon | KeyExchange::EcdhePsk => ecdhe(&mut body)?,
            KeyExchange::RsaExport => rsa_export(&mut body)?,
            KeyExchange::Psk | KeyExchange::RsaPsk => KeyExchangeParams::Psk,
            _ => KeyExchangeParams::Other(body.take(body.remaining(), "ServerKeyExchange")?.to_vec()),
        };
        let signed_length = before.remaining() - body.remaining();
        let mut exchange = ServerKeyExchange {
            params,
            psk_identity_hint,
            signature_scheme: None,
            signature: Vec::new(),
            signed_params: before.rest().get(..signed_length).unwrap_or_default().to_vec(),
            params_span: before.span_until(&body),
        };
        let is_anonymous =
            authentication == Authentication::Anon || matches!(key_exchange, KeyExchange::DhAnon | KeyExchange::EcdhAnon);
        if !has_hint && !is_anonymous && !matches!(exchange.params, KeyExchangeParams::Other(_)) {
            if version >= ProtocolVersion::TLSV1_2 {
                let scheme = body.located(|r| r.u16("ServerKeyExchange.algorithm"))?;
                exchange.signature_scheme = Some(scheme.map(SignatureScheme));
            }
            exchange.signature = body.vector16("ServerKeyExchange.signature")?.rest().to_vec();
        }
        body.finish("ServerKeyExchange")?;
        Ok(exchange)
    }

    /// The named curve of an elliptic-curve exchange.
    pub fn named_group(&self) -> Option<NamedGroup> {
        match self.params {
            KeyExchangeParams::Ecdhe { group, .. } => Some(group),
            _ => None,
        }
    }

    /// Length in bits of the prime of a finite-field exchange.
    pub fn prime_bits(&self) -> Option<u32> {
        match self.params {
            KeyExchangeParams::Dhe { prime_bits, .. } => Some(prime_bits),
            _ => None,
        }
    }
}

fn dhe(body: &mut Reader<'_>) -> Result<KeyExchangeParams, DecodeError> {
    let p = body.vector16("ServerKeyExchange.dh_p")?.rest().to_vec();
    let g = body.vector16("ServerKeyExchange.dh_g")?.rest().to_vec();
    let ys = body.vector16("ServerKeyExchange.dh_Ys")?.rest().to_vec();
    let prime_bits = bits(&p);
    Ok(KeyExchangeParams::Dhe { p, g, ys, prime_bits })
}

fn ecdhe(body: &mut Reader<'_>) -> Result<KeyExchangeParams, DecodeError> {
    let what = "ServerKeyExchange.curve_params";
    let before = body.clone();
    let curve_type = body.u8("ServerKeyExchange.curve_type")?;
    if curve_type == NAMED_CURVE {
        let group = NamedGroup(body.u16("ServerKeyExchange.namedcurve")?);
        let point = body.vector8("ServerKeyExchange.point")?.rest().to_vec();
        return Ok(KeyExchangeParams::Ecdhe { group, point });
    }
    // RFC 4492 §5.4: the field, then curve (two vectors), base, order and cofactor.
    let field_bits = match curve_type {
        1 => bits(body.vector8(what)?.rest()),
        2 => {
            let m = body.u16(what)?;
            // A trinomial has one exponent, a pentanomial three.
            for _ in 0..if body.u8(what)? == 1 { 1 } else { 3 } {
                body.vector8(what)?;
            }
            u32::from(m)
        }
        _ => return Err(before.error("ServerKeyExchange.curve_type", DecodeErrorKind::Invalid)),
    };
    for _ in 0..5 {
        body.vector8(what)?;
    }
    let point = body.vector8("ServerKeyExchange.point")?.rest().to_vec();
    Ok(KeyExchangeParams::EcdheExplicit { curve_type, field_bits, point })
}

fn rsa_export(body: &mut Reader<'_>) -> Result<KeyExchangeParams, DecodeError> {
    let modulus = body.vector16("ServerKeyExchange.rsa_modulus")?.rest().to_vec();
    let exponent = body.vector16("ServerKeyExchange.rsa_exponent")?.rest().to_vec();
    let modulus_bits = bits(&modulus);
    Ok(KeyExchangeParams::RsaExport { modulus, exponent, modulus_bits })
}

/// Length in bits of a big-endian number, without leading zeros.
fn bits(number: &[u8]) -> u32 {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    match number.get(zeros) {
        Some(first) => (number.len() - zeros) as u32 * 8 - first.leading_zeros(),
        None => 0,
    }
}
