//! System-wide files of GnuTLS, one thing changed at a time.

use super::cases::case;
use crate::configs::Case;

/// The system-wide file that GNUTLS_SYSTEM_PRIORITY_FILE names, as gnutls-cli without a priority string of its own takes it.
pub(super) fn gnutls() -> Vec<Case> {
    let all = [
        ("nothing", ""),
        ("version", "[overrides]\ndisabled-version = tls1.0\n"),
        ("versions", "[overrides]\ndisabled-version = TLS1.0\ndisabled-version=tls1.1\ndisabled-version : tls1.3\n"),
        ("versions-1.2", "[overrides]\ndisabled-version = tls1.2\n"),
        (
            "versions-1.3-alone",
            "[overrides]\ndisabled-version = tls1.0\ndisabled-version = tls1.1\ndisabled-version = tls1.2\n",
        ),
        (
            "versions-none",
            "[overrides]\ndisabled-version = tls1.0\ndisabled-version = tls1.1\ndisabled-version = tls1.2\ndisabled-version = tls1.3\n",
        ),
        ("cipher", "[overrides]\ntls-disabled-cipher = AES-128-GCM\ntls-disabled-cipher = aes-256-cbc\n"),
        ("cipher-two-words", "[overrides]\ntls-disabled-cipher = AES-128-GCM AES-256-GCM\n"),
        ("cipher-unknown", "[overrides]\ntls-disabled-cipher = NONSENSE\n"),
        ("mac", "[overrides]\ntls-disabled-mac = SHA1\n"),
        ("mac-aead", "[overrides]\ntls-disabled-mac = AEAD\n"),
        ("kx", "[overrides]\ntls-disabled-kx = RSA\ntls-disabled-kx = DHE-RSA\n"),
        ("kx-ecdhe", "[overrides]\ntls-disabled-kx = ECDHE-RSA\ntls-disabled-kx = ECDHE-ECDSA\n"),
        ("group", "[overrides]\ntls-disabled-group = GROUP-SECP256R1\ntls-disabled-group = ffdhe8192\n"),
        ("curve", "[overrides]\ndisabled-curve = X25519\ndisabled-curve = secp384r1\n"),
        (
            "curve-of-a-word",
            "[overrides]\ndisabled-curve = X25519\ndefault-priority-string = NORMAL:-CURVE-ALL:+CURVE-X25519\n",
        ),
        (
            "group-of-a-word",
            "[overrides]\ndisabled-curve = X25519\ndefault-priority-string = NORMAL:-GROUP-ALL:+GROUP-X25519:+GROUP-X448\n",
        ),
        ("hash-sha1", "[overrides]\ninsecure-hash = SHA1\n"),
        ("hash-sha384", "[overrides]\ninsecure-hash = SHA384\n"),
        ("hash-sha256", "[overrides]\ninsecure-hash = sha256\n"),
        ("sig", "[overrides]\ninsecure-sig = RSA-SHA1\ninsecure-sig = ecdsa-sha1\n"),
        ("sig-ecdsa-one-of-two", "[overrides]\ninsecure-sig = ECDSA-SHA256\n"),
        ("sig-for-cert", "[overrides]\ninsecure-sig-for-cert = RSA-SHA256\n"),
        ("profile", "[overrides]\nmin-verification-profile = ultra\n"),
        ("default-string", "[overrides]\ndefault-priority-string = SECURE192:-VERS-TLS1.3\n"),
        ("default-string-twice", "[overrides]\ndefault-priority-string = PFS\ndefault-priority-string = SUITEB128\n"),
        ("default-string-empty", "[overrides]\ndefault-priority-string = PFS\ndefault-priority-string =\n"),
        ("default-string-nonsense", "[overrides]\ndefault-priority-string = NORMAL:+NONSENSE\n"),
        ("default-string-blank", "[overrides]\ndefault-priority-string = PFS :-VERS-TLS1.3\n"),
        ("default-string-keyword", "SYSTEM = PFS\n[overrides]\ndefault-priority-string = @NONE,SYSTEM:-VERS-TLS1.3\n"),
        ("default-string-keyword-twice", "SYSTEM = PFS\nSYSTEM = NORMAL\n[overrides]\ndefault-priority-string = @SYSTEM\n"),
        ("default-string-keyword-missing", "[overrides]\ndefault-priority-string = @NOBODY\n"),
        ("keyword-alone", "[priorities]\nSYSTEM = PFS\n"),
        ("voided", "[overrides]\ntls-disabled-kx = RSA\nnonsense\n"),
        ("voided-by-a-head", "[overrides]\ntls-disabled-kx = RSA\n[nonsense\n"),
        ("indented", "[overrides]\ntls-disabled-kx = RSA\n  tls-disabled-kx = DHE-RSA\n  DHE-RSA\n"),
        ("indented-first", "[overrides]\n  tls-disabled-kx = RSA\n"),
        ("comments", "# x\n; y\n[overrides] ; z\ntls-disabled-kx = RSA ; DHE-RSA\ntls-disabled-kx = DHE-RSA#x\n"),
        ("case", "[OVERRIDES]\nTLS-Disabled-KX = rsa\n"),
        ("elsewhere", "[priorities]\ntls-disabled-kx = RSA\n[elsewhere]\ntls-disabled-kx = RSA\n"),
        ("again", "[overrides]\ntls-disabled-kx = RSA\n[priorities]\nA=B\n[overrides]\ntls-disabled-kx = DHE-RSA\n"),
        ("crlf", "[overrides]\r\ntls-disabled-kx = RSA\r\n"),
        ("byte-order-mark", "\u{feff}[overrides]\ntls-disabled-kx = RSA\n"),
        ("byte-0", "[overrides]\ntls-disabled-kx = RSA\0\ntls-disabled-kx = DHE-RSA\n"),
        ("allow-keys-in-block-mode", "[overrides]\nenabled-version = tls1.2\ntls-enabled-kx = RSA\n"),
        ("mode-unknown", "[global]\noverride-mode = allow\n[overrides]\ntls-disabled-kx = RSA\n"),
        ("mode-block", "[global]\noverride-mode = allowlist\noverride-mode = blocklist\n[overrides]\ntls-disabled-kx = RSA\n"),
        ("allow", ALLOWED),
        ("allow-nothing", "[global]\noverride-mode = allowlist\n"),
        (
            "allow-without-hashes",
            "[global]\noverride-mode = allowlist\n[overrides]\nenabled-version = TLS1.2\ntls-enabled-kx = RSA\n\
             tls-enabled-cipher = AES-128-GCM\ntls-enabled-mac = AEAD\nsecure-sig = RSA-SHA256\n",
        ),
        (
            "allow-with-default-string",
            "[global]\noverride-mode = allowlist\n[overrides]\ndefault-priority-string = NORMAL\nsecure-hash = SHA256\n\
             enabled-version = TLS1.2\ntls-enabled-kx = RSA\ntls-enabled-cipher = AES-128-GCM\ntls-enabled-mac = AEAD\n\
             secure-sig = RSA-SHA256\n",
        ),
    ];
    let make = |(name, text): (&str, &str)| {
        let mut case = case("gnutls", "gnutls-cli", name, "config", text, &["--insecure", "-p", "{port}", "localhost"]);
        case.env = vec![("GNUTLS_SYSTEM_PRIORITY_FILE", "{dir}/config".to_owned())];
        case
    };
    all.map(make).into()
}

/// A list of what is allowed.
const ALLOWED: &str = "[global]\noverride-mode = allowlist\n[overrides]\nsecure-hash = SHA256\nsecure-hash = SHA384\n\
    enabled-curve = X25519\nenabled-curve = SECP256R1\nsecure-sig = RSA-PSS-RSAE-SHA256\nsecure-sig = ECDSA-SECP256R1-SHA256\n\
    secure-sig = RSA-SHA256\nsecure-sig-for-cert = RSA-SHA256\nenabled-version = TLS1.2\nenabled-version = TLS1.3\n\
    tls-enabled-kx = ECDHE-RSA\ntls-enabled-kx = RSA\ntls-enabled-group = X25519\ntls-enabled-group = GROUP-SECP256R1\n\
    tls-enabled-group = SECP521R1\ntls-enabled-cipher = AES-128-GCM\ntls-enabled-cipher = AES-256-CBC\n\
    tls-enabled-mac = AEAD\ntls-enabled-mac = SHA1\n";
