//! Property files of Java's virtual machines, one entry of a list changed at a time, with the hellos of `keytool -printcert`.

use super::cases::case;
use crate::configs::Case;

/// Those that are run with the tests.
pub(super) const SHORT: &[&str] = &[
    "java/17-default",
    "java/17-key-dh",
    "java/17-bulk-cbc",
    "java/17-group-secp256r1",
    "java/17-size-no-blanks",
    "java/17-chains-rsa",
    "java/17-continued",
    "java/17-own-list",
];

/// Entries of `jdk.tls.disabledAlgorithms`, each alone in a list.
const ENTRIES: &[(&str, &str)] = &[
    ("nothing", ""),
    (
        "default",
        "SSLv3, TLSv1, TLSv1.1, DTLSv1.0, RC4, DES, MD5withRSA, DH keySize < 1024, EC keySize < 224, 3DES_EDE_CBC, anon, NULL, ECDH",
    ),
    ("versions", "SSLv3, TLSv1, TLSv1.1"),
    ("versions-lower-case", "tlsv1.2,tlsv1"),
    ("version-1.3", "TLSv1.3"),
    ("versions-old-only", "TLSv1.3, TLSv1.2, SSLv3"),
    ("version-1.3-only", "TLSv1.2, TLSv1.1, TLSv1"),
    ("versions-none", "TLSv1.3, TLSv1.2, TLSv1.1, TLSv1"),
    ("unknown", "foo, ECDHE , DHE"),
    ("quotes", "\"ECDHE, TLSv1\""),
    ("key-ecdhe", "ECDHE"),
    ("key-ecdh", "ECDH"),
    ("key-dhe", "DHE"),
    ("key-dh", "DH"),
    ("key-diffie-hellman", "DiffieHellman"),
    ("key-rsa", "RSA"),
    ("key-ecdsa", "ECDSA"),
    ("key-dss", "DSS"),
    ("key-dsa", "DSA"),
    ("key-ecdhe-rsa", "ECDHE_RSA"),
    ("key-ec", "EC"),
    ("key-xdh", "XDH"),
    ("key-ec-xdh", "EC, XDH"),
    ("key-x448", "X448, X25519"),
    ("bulk-aes", "AES"),
    ("bulk-aes-128-gcm", "AES_128_GCM"),
    ("bulk-aes-256-cbc", "AES_256_CBC"),
    ("bulk-cbc", "CBC"),
    ("bulk-gcm", "GCM"),
    ("bulk-3des", "3DES_EDE_CBC"),
    ("bulk-desede", "DESede"),
    ("bulk-des", "DES"),
    ("bulk-no-padding", "NoPadding"),
    ("bulk-chacha", "ChaCha20-Poly1305"),
    ("bulk-chacha-underscore", "CHACHA20_POLY1305"),
    ("bulk-all-of-1.3", "AES_128_GCM, AES_256_GCM, ChaCha20-Poly1305"),
    ("hash-sha1", "SHA1"),
    ("hash-sha-1", "SHA-1"),
    ("hash-hmac-sha1", "HmacSHA1"),
    ("hash-sha224", "SHA224"),
    ("hash-sha256", "SHA256"),
    ("hash-sha384", "SHA384"),
    ("hash-sha512", "SHA512"),
    ("hash-md5", "MD5"),
    ("suite", "TLS_AES_256_GCM_SHA384, TLS_RSA_WITH_AES_128_CBC_SHA"),
    ("suite-ssl", "SSL_RSA_WITH_3DES_EDE_CBC_SHA"),
    ("suite-tls", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    ("pattern", "TLS_RSA_*"),
    ("pattern-all", "TLS_*"),
    ("pattern-inside", "TLS_*_SHA, TLS_RSA_WITH_AES_???_GCM_SHA256"),
    ("pattern-case", "TLS_rsa_*"),
    ("pattern-without-tls", "ECDHE*"),
    ("signalling", "TLSv1.3, TLS_EMPTY_RENEGOTIATION_INFO_SCSV, SHA1"),
    ("group-x25519", "x25519"),
    ("group-x25519-upper-case", "X25519"),
    ("group-x448", "X448"),
    ("group-secp256r1", "secp256r1"),
    ("group-secp384r1", "secp384r1"),
    ("group-ffdhe3072", "ffdhe3072"),
    ("size-ec", "EC keySize < 300"),
    ("size-ec-at-most", "EC keySize <= 256"),
    ("size-ec-equal", "EC keySize == 384"),
    ("size-ec-all", "EC keySize < 9999"),
    ("size-dh", "DH keySize < 3000"),
    ("size-diffie-hellman", "DiffieHellman keySize < 4096"),
    ("size-dh-all", "DH keySize < 99999"),
    ("size-rsa", "RSA keySize < 99999"),
    ("size-two", "EC keySize < 300 & keySize > 2"),
    ("size-and-usage", "EC keySize < 300 & usage HandshakeSignature"),
    ("size-two-entries", "EC keySize < 300, EC keySize > 500"),
    ("size-more-words", "EC  keySize  <   300 4"),
    ("size-sign-without-blank", "EC keySize <300"),
    ("size-lower-case", "EC keysize < 300"),
    ("size-ecdh", "ECDH keySize < 300"),
    ("size-xdh", "XDH keySize < 300"),
    ("size-no-blanks", "EC keySize<300"),
    ("scheme-pss", "RSASSA-PSS"),
    ("scheme-eddsa", "EdDSA"),
    ("scheme-ed448", "ed448"),
    ("scheme-sha256-with-ecdsa", "SHA256withECDSA"),
    ("scheme-sha1-with-rsa", "SHA1withRSA"),
    ("scheme-md5-with-rsa", "MD5withRSA"),
    ("scheme-iana", "ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256"),
    ("scheme-iana-sha1", "rsa_pkcs1_sha1, ecdsa_sha1, dsa_sha1"),
    ("scheme-older-names", "rsa_sha224, rsa_md5, dsa_sha224, ecdsa_sha224"),
    ("usage-key", "RSA usage HandshakeSignature"),
    ("usage-ec", "EC usage HandshakeSignature, SHA1 usage HandshakeSignature, ECDSA usage HandshakeSignature"),
    ("usage-signature", "SHA1withRSA usage handshakesignature, EdDSA usage HandshakeSignature & jdkCA"),
    ("usage-mixed", "rsa_pkcs1_sha1 usage HandshakeSignature TLSServer"),
    ("usage-certificates", "rsa_pkcs1_sha1 usage CertificateSignature"),
    ("usage-nothing", "DHE usage"),
    ("usage-upper-case", "DHE Usage TLSServer"),
    ("usage-server", "TLSv1.1 usage TLSServer"),
    ("usage-handshake", "rsa_pkcs1_sha1 usage HandshakeSignature, ecdsa_sha1 usage HandshakeSignature"),
    ("jdk-ca", "DHE jdkCA"),
    ("jdk-ca-case", "DHE JDKca"),
    ("jdk-ca-twice", "DHE jdkCA & jdkCA"),
    ("jdk-ca-more", "DHE jdkCA extra"),
    ("deny-after-wrong", "DHE denyAfter 2020-13-01"),
    ("deny-after-short", "DHE denyAfter 2020"),
    ("include-another", "include jdk.tls.legacyAlgorithms"),
    ("deny-after", "DHE denyAfter 2020-01-01"),
    ("several-conditions", "SHA1 jdkCA & usage TLSServer"),
    ("wrong-condition", "RSA keySize < many"),
    ("wrong-word", "RSA size < 3"),
    ("condition-without-name", "ECDHE & usage TLSServer"),
];

/// Entries of `jdk.certpath.disabledAlgorithms`, each alone in a list.
const CHAINS: &[(&str, &str)] = &[
    ("md5", "MD5"),
    ("sha1", "SHA1, SHA-224"),
    ("sha256-with-ecdsa", "SHA256withECDSA"),
    ("rsa", "RSA"),
    ("ec", "EC"),
    ("ecdsa", "ECDSA"),
    ("dsa", "DSA"),
    ("dss", "DSS"),
    ("pss", "RSASSA-PSS"),
    ("diffie-hellman", "DiffieHellman"),
    ("dhe-rsa", "DHE_RSA, ECDH"),
    ("xdh", "XDH"),
    ("bulk", "AES, AES_128_CBC, NoPadding"),
    ("hmac", "HmacSHA1"),
    ("version", "TLSv1.2"),
    ("suite", "TLS_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_CBC_SHA"),
    ("pattern", "TLS_RSA_*, *"),
    ("group", "secp256r1, ffdhe2048"),
    ("size-ec", "EC keySize < 300 & jdkCA"),
    ("size-dh", "DH keySize < 99999"),
    ("size-rsa", "RSA keySize < 99999"),
    ("scheme", "rsa_pkcs1_sha1"),
    ("usage", "SHA1 jdkCA & usage TLSServer, rsa_pkcs1_sha1 usage HandshakeSignature"),
    ("curves", "include jdk.disabled.namedCurves"),
    ("wrong", "RSA keySize <300"),
];

/// A virtual machine: how its cases begin, its home, and the path by which a file tells that it is its own.
type Home = (&'static str, &'static str, &'static str, &'static str);
const HOMES: [Home; 2] = [
    (
        "17",
        "/usr/lib/jvm/java-17-openjdk-amd64",
        "/usr/lib/jvm/java-17-openjdk-amd64/bin/keytool",
        "java-17-openjdk/java.security",
    ),
    (
        "25",
        "/usr/lib/jvm/temurin-25-jdk-amd64",
        "/usr/lib/jvm/temurin-25-jdk-amd64/bin/keytool",
        "temurin-25-jdk/java.security",
    ),
];
/// Nothing is disabled; what comes behind it counts instead.
const EMPTY: &str = "jdk.disabled.namedCurves=\njdk.certpath.disabledAlgorithms=\njdk.tls.disabledAlgorithms=\n";

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for home in HOMES {
        // What is not the matter here is left to no other list.
        for (name, list) in ENTRIES {
            all.push(instead(home, name, &format!("{EMPTY}jdk.tls.disabledAlgorithms={list}\n")));
        }
        for (name, list) in CHAINS {
            let curves = "jdk.disabled.namedCurves=secp384r1";
            let text = format!("{EMPTY}{curves}\njdk.certpath.disabledAlgorithms={list}\n");
            all.push(instead(home, &format!("chains-{name}"), &text));
        }
        for (name, text) in [
            ("continued", "jdk.tls.disabledAlgorithms=SSLv3, \\\n    TLSv1, \\\n# TLSv1.2, \\\n    TLSv1.1\n"),
            ("comment-is-continued-not", "# \\\njdk.tls.disabledAlgorithms : TLSv1.3\n"),
            ("escapes", "jdk.tls.disabled\\u0041lgorithms = \\u0054LSv1.\\3\n"),
            ("twice", "jdk.tls.disabledAlgorithms=TLSv1.3\njdk.tls.disabledAlgorithms=TLSv1\n"),
            ("key-of-other-case", "jdk.tls.disabledAlgorithms=TLSv1\njdk.tls.disabledalgorithms=TLSv1.3\n"),
            ("crlf", "jdk.tls.disabledAlgorithms=TLSv1.3,\\\r\n  TLSv1\r\n"),
            ("old-mac", "jdk.tls.disabledAlgorithms=TLSv1.3\rjdk.certpath.disabledAlgorithms=\r"),
            ("blank-after-backslash", "jdk.tls.disabledAlgorithms=TLSv1, \\ \n TLSv1.3\n"),
            ("system-properties", "jdk.tls.client.protocols=TLSv1.2\njdk.tls.namedGroups=secp384r1\n"),
            ("included-list", "my.list=TLSv1.3\njdk.tls.disabledAlgorithms=include my.list, TLSv1\n"),
            (
                "included-curves",
                "jdk.disabled.namedCurves=secp256r1\njdk.tls.disabledAlgorithms=include jdk.disabled.namedCurves, TLSv1\n",
            ),
        ] {
            all.push(instead(home, name, &format!("{EMPTY}{text}")));
        }
        for (name, text) in [
            ("own-list", "jdk.certpath.disabledAlgorithms=MD2\n"),
            ("malformed", "jdk.tls.disabledAlgorithms=TLSv1.3\nx=\\u12\njdk.tls.disabledAlgorithms=TLSv1.2\n"),
            ("include", "include more\njdk.certpath.disabledAlgorithms=MD2\n"),
            ("include-before", "include more\njdk.tls.disabledAlgorithms=TLSv1\n"),
            ("include-with-equals", "include = {dir}/more\n"),
            ("include-with-blank-behind", "include more \n"),
            ("include-property", "include ${java.home}/../../../..{dir}/more\n"),
            ("include-missing", "include none\n"),
            ("include-itself", "include mine.properties\n"),
            ("include-upper-case", "Include more\n"),
        ] {
            all.push(on_top(home, name, text, &[]));
        }
        for (name, options) in [
            ("protocols", "-Djdk.tls.client.protocols=TLSv1.1,TLSv1.2"),
            ("protocols-quoted", "'-Djdk.tls.client.protocols=\"TLSv1.2, TLSv1.1\"'"),
            ("protocols-ssl3", "-Djdk.tls.client.protocols=SSLv3,TLSv1.2"),
            ("protocols-empty", "-Djdk.tls.client.protocols="),
            ("groups", "'-Djdk.tls.namedGroups=secp384r1, foo, x25519'"),
            ("groups-finite", "-Djdk.tls.namedGroups=ffdhe2048"),
            ("groups-curve", "-Djdk.tls.namedGroups=secp256r1"),
            ("suites", "-Djdk.tls.client.cipherSuites=TLS_RSA_WITH_AES_128_CBC_SHA,foo"),
            ("suites-1.3", "-Djdk.tls.client.cipherSuites=TLS_AES_128_GCM_SHA256"),
            ("suites-unknown", "-Djdk.tls.client.cipherSuites=foo"),
            ("schemes", "-Djdk.tls.client.SignatureSchemes=rsa_pkcs1_sha1,ecdsa_secp256r1_sha256,foo"),
            ("several", "-Djdk.tls.namedGroups=secp384r1 -Djdk.tls.namedGroups=secp521r1"),
        ] {
            all.push(on_top(home, &format!("option-{name}"), EMPTY, &[("JAVA_TOOL_OPTIONS", options)]));
        }
        let both =
            [("JAVA_TOOL_OPTIONS", "-Djdk.tls.namedGroups=x25519"), ("_JAVA_OPTIONS", "-Djdk.tls.namedGroups=secp384r1")];
        all.push(on_top(home, "option-of-both", EMPTY, &both));
    }
    all
}

/// A file that is read as the virtual machine's own.
fn instead((release, _, program, main): Home, name: &str, text: &str) -> Case {
    let file = format!("-J-Djava.security.properties={{dir}}/{main}");
    case("java", program, &format!("{release}-{name}"), main, text, &[&file, "-printcert", "-sslserver", "localhost:{port}"])
}

/// A file on top of the virtual machine's own.
fn on_top((release, home, program, _): Home, name: &str, text: &str, environment: &[(&'static str, &str)]) -> Case {
    let main = "mine.properties";
    let file = format!("-J-Djava.security.properties={{dir}}/{main}");
    let arguments = [&file, "-printcert", "-sslserver", "localhost:{port}"];
    let mut case = case("java", program, &format!("{release}-{name}"), main, text, &arguments);
    case.files.push(("more".to_owned(), b"jdk.tls.disabledAlgorithms=TLSv1.3\n".to_vec()));
    case.env = environment.iter().map(|(variable, value)| (*variable, (*value).to_owned())).collect();
    case.env.push(("JAVA_HOME", home.to_owned()));
    case
}
