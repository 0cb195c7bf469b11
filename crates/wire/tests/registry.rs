//! The registries: names and numbers belong together, nothing is lost on the way through text, and the suites agree with OpenSSL.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test stops at what it did not expect")]

use std::collections::HashSet;
use std::fmt::{Debug, Display};
use std::process::Command;
use std::str::FromStr;

use tlswhy_wire::registry::{
    AlertDescription, AlertLevel, Authentication, CipherMode, CipherSuite, ContentType, Encryption, ExtensionType,
    HandshakeType, Hash, KeyExchange, Mac, NamedGroup, ProtocolVersion, SignatureScheme, Sslv2CipherKind, SuiteDetails,
    UnknownName,
};

/// Names print and parse back to the same number, are unique whatever the letter case, and ascend by number.
fn names_round_trip<T>(rows: Vec<T>, name: fn(T) -> Option<&'static str>)
where
    T: Copy + Ord + Debug + Display + FromStr<Err = UnknownName>,
{
    assert!(!rows.is_empty());
    assert!(rows.is_sorted_by(|a, b| a < b), "unsorted: {rows:?}");
    let mut seen = HashSet::new();
    for row in rows {
        let name = name(row).unwrap();
        assert!(seen.insert(name.to_ascii_lowercase()), "{name} twice");
        assert!(!name.starts_with("0x") && !name.contains(' '), "{name}");
        assert_eq!(row.to_string(), name);
        assert_eq!(format!("{row:?}"), name);
        assert_eq!(name.parse::<T>().unwrap(), row);
        assert_eq!(name.to_ascii_uppercase().parse::<T>().unwrap(), row);
    }
}

#[test]
fn names_of_every_registry_round_trip() {
    names_round_trip(ProtocolVersion::all().collect(), ProtocolVersion::name);
    names_round_trip(CipherSuite::all().collect(), CipherSuite::name);
    names_round_trip(Sslv2CipherKind::all().collect(), Sslv2CipherKind::name);
    names_round_trip(NamedGroup::all().collect(), NamedGroup::name);
    names_round_trip(SignatureScheme::all().collect(), SignatureScheme::name);
    names_round_trip(ExtensionType::all().collect(), ExtensionType::name);
    names_round_trip(AlertLevel::all().collect(), AlertLevel::name);
    names_round_trip(AlertDescription::all().collect(), AlertDescription::name);
    names_round_trip(ContentType::all().collect(), ContentType::name);
    names_round_trip(HandshakeType::all().collect(), HandshakeType::name);
}

#[test]
fn every_number_survives_text() {
    for number in 0..=u16::MAX {
        let suite = CipherSuite(number);
        assert_eq!(suite.to_string().parse(), Ok(suite));
        let group = NamedGroup(number);
        assert_eq!(group.to_string().parse(), Ok(group));
        let scheme = SignatureScheme(number);
        assert_eq!(scheme.to_string().parse(), Ok(scheme));
        let extension = ExtensionType(number);
        assert_eq!(extension.to_string().parse(), Ok(extension));
        let version = ProtocolVersion(number);
        assert_eq!(version.to_string().parse(), Ok(version));
    }
    for number in 0..=u8::MAX {
        let alert = AlertDescription(number);
        assert_eq!(alert.to_string().parse(), Ok(alert));
        let kind = HandshakeType(number);
        assert_eq!(kind.to_string().parse(), Ok(kind));
    }
}

#[test]
fn unknown_numbers_print_as_hex_of_their_width() {
    assert_eq!(CipherSuite(0x0a0a).to_string(), "0x0a0a");
    assert_eq!(NamedGroup(0x00fe).to_string(), "0x00fe");
    assert_eq!(AlertDescription(5).to_string(), "0x05");
    assert_eq!(Sslv2CipherKind(0x0a).to_string(), "0x00000a");
    assert_eq!(format!("{:>8}", NamedGroup::X25519), "  x25519");
}

#[test]
fn other_spellings_are_understood() {
    assert_eq!("TLSv1".parse(), Ok(ProtocolVersion::TLSV1_0));
    assert_eq!("tlsv1.3".parse(), Ok(ProtocolVersion::TLSV1_3));
    assert_eq!("prime256v1".parse(), Ok(NamedGroup::SECP256R1));
    assert_eq!("P-384".parse(), Ok(NamedGroup::SECP384R1));
    assert_eq!("0X001D".parse(), Ok(NamedGroup::X25519));
    assert_eq!("0x1d".parse(), Ok(NamedGroup::X25519));
    assert_eq!("alpn".parse(), Ok(ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION));
    assert_eq!("RSA+SHA256".parse(), Ok(SignatureScheme::RSA_PKCS1_SHA256));
    assert_eq!("EDH-RSA-DES-CBC3-SHA".parse(), Ok(CipherSuite::TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA));
    assert_eq!("RC4-MD5".parse(), Ok(Sslv2CipherKind::SSL_CK_RC4_128_WITH_MD5));
    for suite in details() {
        if let Some(name) = suite.openssl_name {
            assert_eq!(name.parse(), Ok(suite.suite), "{name}");
        }
    }
}

#[test]
fn nonsense_is_refused_with_the_text() {
    for text in ["", "0x", "0x+1", "0x10000", "0xfffffffff", "0x0g", "29", "TLS_", "é"] {
        assert_eq!(text.parse::<CipherSuite>(), Err(UnknownName(text.to_owned())));
    }
    assert!("0x1000000".parse::<Sslv2CipherKind>().is_err());
    assert!("0x100".parse::<AlertDescription>().is_err());
    assert_eq!(UnknownName("x\ny".to_owned()).to_string(), "unknown name \"x\\ny\"");
}

#[test]
fn grease_is_sixteen_values_and_has_no_name() {
    let grease: Vec<u16> = (0..=u16::MAX).filter(|number| CipherSuite(*number).is_grease()).collect();
    assert_eq!(grease.len(), 16);
    assert_eq!((grease[0], grease[1], grease[15]), (0x0a0a, 0x1a1a, 0xfafa));
    for number in grease {
        assert!(NamedGroup(number).is_grease() && ExtensionType(number).is_grease());
        assert!(SignatureScheme(number).is_grease() && ProtocolVersion(number).is_grease());
        assert_eq!(CipherSuite(number).name(), None);
        assert_eq!(NamedGroup(number).name(), None);
        assert_eq!(ExtensionType(number).name(), None);
        assert_eq!(SignatureScheme(number).name(), None);
    }
}

#[test]
fn rows_carry_references_and_alerts_a_sentence() {
    assert!(CipherSuite::all().all(|suite| suite.reference().is_some_and(|text| !text.is_empty())));
    assert!(NamedGroup::all().all(|group| group.reference().is_some_and(|text| !text.is_empty())));
    for alert in AlertDescription::all() {
        let meaning = alert.meaning().unwrap();
        assert!(meaning.ends_with('.') && meaning.starts_with(char::is_uppercase), "{meaning}");
    }
    assert_eq!(AlertDescription(200).meaning(), None);
}

fn details() -> impl Iterator<Item = &'static SuiteDetails> {
    CipherSuite::all().filter_map(CipherSuite::details)
}

#[test]
fn suites_are_many_and_signalling_values_are_not_suites() {
    assert!(details().count() >= 370, "{}", details().count());
    let signalling: Vec<_> = CipherSuite::all().filter(|suite| suite.is_signalling()).collect();
    assert_eq!(signalling, [CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV, CipherSuite::TLS_FALLBACK_SCSV]);
    assert!(signalling.iter().all(|suite| suite.details().is_none()));
    assert!(CipherSuite(0x0a0a).details().is_none());
    assert_eq!(CipherSuite::TLS_RSA_WITH_RC4_128_SHA.details().unwrap().name, "TLS_RSA_WITH_RC4_128_SHA");
}

/// What a suite's name says must be what its row says.
#[test]
fn details_follow_from_names() {
    for suite in details() {
        let name = suite.name;
        assert!(suite.lowest <= suite.highest, "{name}");
        assert_eq!(suite.suite.name(), Some(name));
        let aead = ["_GCM", "_CCM", "POLY1305", "_MGM", "AEGIS"].iter().any(|mode| name.contains(mode));
        assert_eq!(suite.is_aead(), aead, "{name}");
        assert_eq!(suite.encryption == Encryption::Null, suite.mode == CipherMode::Null, "{name}");
        assert_eq!(suite.strength_bits() == 0, suite.encryption == Encryption::Null, "{name}");
        if aead {
            assert!(suite.lowest >= ProtocolVersion::TLSV1_2, "{name}");
        }
        let tls13 = suite.lowest == ProtocolVersion::TLSV1_3;
        assert_eq!(tls13, suite.key_exchange == KeyExchange::Tls13, "{name}");
        assert_eq!(tls13, suite.authentication == Authentication::Tls13, "{name}");
        if suite.is_export() {
            assert_eq!(suite.highest, ProtocolVersion::TLSV1_0, "{name}");
            assert!(matches!(suite.strength_bits(), 40 | 56), "{name}");
        } else if matches!(suite.encryption, Encryption::Des | Encryption::Idea) {
            assert!(suite.highest <= ProtocolVersion::TLSV1_1, "{name}");
        }
        if matches!(suite.key_exchange, KeyExchange::Ecdh | KeyExchange::Ecdhe | KeyExchange::EcdhAnon) {
            assert!(suite.lowest >= ProtocolVersion::TLSV1_0, "{name}");
        }
        let anonymous = matches!(suite.key_exchange, KeyExchange::DhAnon | KeyExchange::EcdhAnon);
        assert_eq!(anonymous, name.contains("_anon_"), "{name}");
        assert_eq!(anonymous, suite.authentication == Authentication::Anon, "{name}");
        if name.ends_with("_SHA384") {
            assert_eq!(suite.hash, Hash::Sha384, "{name}");
        }
        if suite.recommended {
            assert!(suite.is_aead() && suite.forward_secret() && suite.strength_bits() >= 128, "{name}");
        }
    }
}

#[test]
fn strength_counts_as_openssl_does() {
    let bits = |suite: CipherSuite| suite.details().unwrap().strength_bits();
    assert_eq!(bits(CipherSuite::TLS_RSA_WITH_3DES_EDE_CBC_SHA), 112);
    assert_eq!(bits(CipherSuite::TLS_RSA_WITH_RC4_128_MD5), 128);
    assert_eq!(bits(CipherSuite::TLS_RSA_WITH_DES_CBC_SHA), 56);
    assert_eq!(bits(CipherSuite::TLS_RSA_EXPORT_WITH_RC4_40_MD5), 40);
    assert_eq!(bits(CipherSuite::TLS_RSA_WITH_NULL_SHA), 0);
    assert_eq!(bits(CipherSuite::TLS_AES_128_CCM_8_SHA256), 64);
    assert_eq!(bits(CipherSuite::TLS_CHACHA20_POLY1305_SHA256), 256);
    assert_eq!(Sslv2CipherKind::SSL_CK_DES_192_EDE3_CBC_WITH_MD5.strength_bits(), Some(112));
}

/// Every suite that the machine's OpenSSL knows: name, OpenSSL name, lowest version, key exchange, authentication, encryption and MAC.
#[test]
fn suites_agree_with_openssl() {
    let arguments = ["ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"];
    let output = match Command::new("openssl").args(arguments).output() {
        Ok(output) if output.status.success() => output,
        Ok(output) => {
            return println!("skipped: openssl ciphers failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Err(error) => return println!("skipped: no openssl: {error}"),
    };
    let mut rows = 0;
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        // 0xC0,0x2C - IANA-NAME - OPENSSL-NAME TLSv1.2 Kx=ECDH Au=ECDSA Enc=AESGCM(256) Mac=AEAD
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [code, "-", name, "-", openssl_name, version, kx, au, enc, mac, ..] = fields[..] else {
            panic!("unexpected row: {line}");
        };
        let code = u16::from_str_radix(&code.replace("0x", "").replace(',', ""), 16).unwrap();
        let suite = CipherSuite(code).details().unwrap_or_else(|| panic!("no row for {line}"));
        rows += 1;
        assert_eq!(openssl_name.parse(), Ok(suite.suite), "{line}");
        if name != "UNKNOWN" {
            assert_eq!(suite.name, name, "{line}");
        }
        if suite.key_exchange != KeyExchange::Gost {
            assert_eq!(suite.openssl_name, Some(openssl_name), "{line}");
            assert_eq!(version.parse(), Ok(suite.lowest), "{line}");
            assert_eq!((kx, au, enc, mac), in_openssl_words(suite), "{line}");
        }
    }
    println!("{rows} suites agree");
    assert!(rows > 20);
}

/// The columns of `openssl ciphers -V` for a suite.
fn in_openssl_words(suite: &SuiteDetails) -> (&'static str, &'static str, &'static str, &'static str) {
    let key_exchange = match suite.key_exchange {
        KeyExchange::Rsa => "Kx=RSA",
        KeyExchange::Dhe | KeyExchange::DhAnon => "Kx=DH",
        KeyExchange::Ecdhe | KeyExchange::EcdhAnon => "Kx=ECDH",
        KeyExchange::Psk => "Kx=PSK",
        KeyExchange::RsaPsk => "Kx=RSAPSK",
        KeyExchange::DhePsk => "Kx=DHEPSK",
        KeyExchange::EcdhePsk => "Kx=ECDHEPSK",
        KeyExchange::Srp => "Kx=SRP",
        KeyExchange::Tls13 => "Kx=any",
        _ => "unexpected",
    };
    let authentication = match suite.authentication {
        Authentication::Anon => "Au=None",
        Authentication::Rsa => "Au=RSA",
        Authentication::Dss => "Au=DSS",
        Authentication::Ecdsa => "Au=ECDSA",
        Authentication::Psk => "Au=PSK",
        Authentication::Srp => "Au=SRP",
        Authentication::Tls13 => "Au=any",
        _ => "unexpected",
    };
    let encryption = match (suite.encryption, suite.mode, suite.key_bits) {
        (Encryption::Null, _, 0) => "Enc=None",
        (Encryption::Rc4, _, 128) => "Enc=RC4(128)",
        (Encryption::Idea, _, 128) => "Enc=IDEA(128)",
        (Encryption::Seed, _, 128) => "Enc=SEED(128)",
        (Encryption::TripleDes, _, 168) => "Enc=3DES(168)",
        (Encryption::Aes, CipherMode::Cbc, 128) => "Enc=AES(128)",
        (Encryption::Aes, CipherMode::Cbc, 256) => "Enc=AES(256)",
        (Encryption::Aes, CipherMode::Gcm, 128) => "Enc=AESGCM(128)",
        (Encryption::Aes, CipherMode::Gcm, 256) => "Enc=AESGCM(256)",
        (Encryption::Aes, CipherMode::Ccm, 128) => "Enc=AESCCM(128)",
        (Encryption::Aes, CipherMode::Ccm, 256) => "Enc=AESCCM(256)",
        (Encryption::Aes, CipherMode::Ccm8, 128) => "Enc=AESCCM8(128)",
        (Encryption::Aes, CipherMode::Ccm8, 256) => "Enc=AESCCM8(256)",
        (Encryption::Camellia, CipherMode::Cbc, 128) => "Enc=Camellia(128)",
        (Encryption::Camellia, CipherMode::Cbc, 256) => "Enc=Camellia(256)",
        (Encryption::Aria, CipherMode::Gcm, 128) => "Enc=ARIAGCM(128)",
        (Encryption::Aria, CipherMode::Gcm, 256) => "Enc=ARIAGCM(256)",
        (Encryption::Sm4, CipherMode::Gcm, 128) => "Enc=SM4GCM(128)",
        (Encryption::Sm4, CipherMode::Ccm, 128) => "Enc=SM4CCM(128)",
        (Encryption::Chacha20Poly1305, _, 256) => "Enc=CHACHA20/POLY1305(256)",
        _ => "unexpected",
    };
    let mac = match suite.mac {
        Mac::Md5 => "Mac=MD5",
        Mac::Sha1 => "Mac=SHA1",
        Mac::Sha256 => "Mac=SHA256",
        Mac::Sha384 => "Mac=SHA384",
        Mac::Aead => "Mac=AEAD",
        _ => "unexpected",
    };
    (key_exchange, authentication, encryption, mac)
}

#[cfg(feature = "serde")]
#[test]
fn serde_uses_the_printed_text() {
    let suites = vec![CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite(0x0a0a)];
    let text = serde_json::to_string(&suites).unwrap();
    assert_eq!(text, r#"["TLS_AES_128_GCM_SHA256","0x0a0a"]"#);
    assert_eq!(serde_json::from_str::<Vec<CipherSuite>>(&text).unwrap(), suites);

    let counts = std::collections::BTreeMap::from([(NamedGroup::X25519, 1), (NamedGroup(0x1a1a), 2)]);
    let text = serde_json::to_string(&counts).unwrap();
    assert_eq!(text, r#"{"x25519":1,"0x1a1a":2}"#);
    assert_eq!(serde_json::from_str::<std::collections::BTreeMap<NamedGroup, i32>>(&text).unwrap(), counts);

    let error = serde_json::from_str::<ProtocolVersion>(r#""TLSv9""#).unwrap_err();
    assert!(error.to_string().contains("unknown name \"TLSv9\""), "{error}");
    assert!(serde_json::from_str::<ProtocolVersion>("772").is_err());
}
