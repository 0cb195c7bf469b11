//! Files of curl, wget and git, one thing changed at a time; those of the other programs stand beside this file.

use super::{databases, gnutls, java, mail, runtimes};
use crate::configs::Case;

/// Every case whose dialect is one of these words or whose id begins with one; all without words.
pub fn cases(words: &[String]) -> Vec<Case> {
    let fits = |case: &Case, word: &String| case.dialect == word || case.id.starts_with(word.as_str());
    let databases = [databases::libpq(), databases::mysql(), databases::stunnel()];
    let all = [curl(), wget(), git(), gnutls::gnutls(), mail::dovecot()]
        .into_iter()
        .chain(databases)
        .chain([runtimes::node(), runtimes::go(), runtimes::go_module(), runtimes::python(), java::cases()])
        .flatten();
    all.filter(|case| words.is_empty() || words.iter().any(|word| fits(case, word))).collect()
}

/// Those that a test has time for: a virtual machine takes long to start.
pub fn short() -> Vec<Case> {
    cases(&[]).into_iter().filter(|case| case.dialect != "java" || java::SHORT.contains(&case.id.as_str())).collect()
}

pub(super) fn case(dialect: &'static str, program: &'static str, name: &str, main: &str, text: &str, args: &[&str]) -> Case {
    Case {
        id: format!("{dialect}/{name}"),
        dialect,
        program,
        args: args.iter().map(|argument| (*argument).to_owned()).collect(),
        files: vec![(main.to_owned(), text.as_bytes().to_vec())],
        main: main.to_owned(),
        ..Case::default()
    }
}

/// `.curlrc` in the home directory.
fn curl() -> Vec<Case> {
    let all = [
        ("nothing", ""),
        ("comments", "# tlsv1.3\n/ tlsv1.3\n* tlsv1.3\n"),
        ("minimum", "tlsv1.3\n"),
        ("minimum-1.2", "--tlsv1.2\n"),
        ("minimum-any", "tlsv1\n"),
        ("minimum-1.1", "tlsv1.1\n"),
        ("minimum-upper-case", "TLSv1.3\n"),
        ("later-minimum", "tlsv1.3\ntlsv1.2\n"),
        ("letter", "tlsv1.3\n-1\n"),
        ("letters", "tlsv1.3\n-k1\n"),
        ("ignored-sslv3", "tlsv1.2\nsslv3\n"),
        ("flag-with-value", "tlsv1.3 = yes\n"),
        ("flag-with-another", "tlsv1.3 tls-max 1.2\n"),
        ("maximum", "tls-max 1.2 # a comment\n"),
        ("maximum-colon", "tls-max: 1.2\n"),
        ("maximum-equals", "tls-max==1.2\n"),
        ("maximum-quoted", "tls-max = \"1\\.2\"trailing\n"),
        ("maximum-with-hash", "tls-max = 1.2#x\n"),
        ("maximum-dashes-equals", "--tls-max=1.2\n"),
        ("maximum-dashes", "--tls-max 1.2\n"),
        ("maximum-crlf", "tls-max 1.2\r\ntlsv1.1\r\n"),
        ("maximum-old", "tls-max 1.1\n"),
        ("maximum-oldest", "tls-max 1.0\n"),
        ("maximum-nonsense", "tls-max 1.2\ntls-max 1.9\n"),
        ("maximum-default", "tls-max 1.2\ntls-max default\n"),
        ("maximum-without-value", "tls-max\ntlsv1.2\n"),
        ("no-range", "tlsv1.3\ntls-max 1.2\n"),
        ("byte-order-mark", "\u{feff}tls-max 1.2\n"),
        ("ciphers", "ciphers = ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA\n"),
        ("ciphers-level-0", "ciphers ALL:@SECLEVEL=0\n"),
        ("ciphers-high", "tls-max 1.2\nciphers HIGH:!aNULL:!kRSA\n"),
        ("ciphers-nonsense", "ciphers NONSENSE\n"),
        ("ciphers-empty", "ciphers = \"\"\n"),
        ("ciphers-single-quotes", "ciphers = 'AES128-SHA'\n"),
        ("ciphers-without-closing-quote", "ciphers = \"AES128-SHA:AES256-SHA\ntlsv1.2\n"),
        ("suites", "tls13-ciphers TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256\n"),
        ("suites-some-unknown", "tls13-ciphers AES128-SHA:TLS_AES_128_GCM_SHA256\n"),
        ("suites-nonsense", "tls13-ciphers NONSENSE\n"),
        ("curves", "curves = P-384:X25519\n"),
        ("curves-nonsense", "curves X25519:NONSENSE\n"),
        ("nested", "tlsv1.2\nconfig = {dir}/more\n"),
        ("nested-missing", "config = {dir}/none\ntls-max 1.1\n"),
        ("next-without-url", "tls-max 1.2\nnext\ntls-max 1.1\n"),
    ];
    let make = |(name, text): (&str, &str)| {
        let mut case = case("curl", "curl", name, ".curlrc", text, &["-sS", "-m", "8", "https://localhost:{port}/"]);
        case.files.push(("more".to_owned(), b"tls-max 1.2\n".to_vec()));
        case
    };
    all.map(make).into()
}

/// The file that WGETRC names.
fn wget() -> Vec<Case> {
    let all = [
        ("nothing", ""),
        ("auto", "secure_protocol = auto\n"),
        ("sslv3", "secure_protocol = SSLv3\n"),
        ("tlsv1", "secure_protocol = TLSv1\n"),
        ("tlsv1_1", "secure_protocol = tlsv1_1\n"),
        ("tlsv1_2", "secure-protocol=TLSv1_2\n"),
        ("tlsv1_3", "SecureProtocol\t=\tTLSv1_3\r\n"),
        ("pfs", "secure_protocol = PFS\n"),
        ("later", "secure_protocol = TLSv1_3\nsecureprotocol = TLSv1_2\n"),
        ("dots", "secure_protocol = TLSv1.2\n"),
        ("quotes", "secure_protocol = \"TLSv1_3\"\n"),
        ("trailing-comment", "secure_protocol = TLSv1_3 # newest\n"),
        ("comment", "# secure_protocol = TLSv1_3\n"),
        ("no-equals", "secure_protocol TLSv1_3\n"),
        ("check-certificate", "check_certificate = perhaps\n"),
        ("check-certificate-quiet", "check_certificate = quiet\nsecure_protocol = TLSv1_2\n"),
        ("ciphers", "ciphers = NORMAL:-VERS-ALL:+VERS-TLS1.2:-RSA:-GROUP-ALL:+GROUP-X25519:+GROUP-FFDHE2048\n"),
        ("ciphers-over-protocol", "secure_protocol = TLSv1_3\nciphers = SECURE192:-VERS-TLS1.3\n"),
        ("ciphers-pfs-1.3", "ciphers = PFS:-VERS-ALL:+VERS-TLS1.3\n"),
        ("ciphers-nonsense", "ciphers = NORMAL:+NONSENSE\n"),
        ("ciphers-keyword", "ciphers = @WGET,SYSTEM:-AES-256-CBC\n"),
        ("ciphers-keyword-missing", "ciphers = @NOBODY\n"),
        ("ciphers-no-extensions", "ciphers = NORMAL:%NO_EXTENSIONS\n"),
        ("ciphers-shared-keys", "ciphers = NORMAL:+PSK:+DHE-PSK:+ANON-DH:+ANON-ECDH:+3DES-CBC:+CAMELLIA-256-GCM\n"),
        ("ciphers-order", "ciphers = NORMAL:-KX-ALL:+DHE-RSA:+ECDHE-RSA:+RSA:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3\n"),
        ("ciphers-legacy-1.1", "ciphers = LEGACY:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0\n"),
        ("ciphers-hole", "ciphers = NORMAL:-VERS-TLS1.2\n"),
    ];
    let make = |(name, text): (&str, &str)| {
        let args = ["-q", "-O-", "-t1", "-T8", "https://localhost:{port}/"];
        let mut case = case("wget", "wget", name, "wgetrc", text, &args);
        case.env = vec![("WGETRC", "{dir}/wgetrc".to_owned()), ("SYSTEM_WGETRC", "/dev/null".to_owned())];
        under_a_policy(&mut case);
        case
    };
    all.map(make).into()
}

/// The file that GIT_CONFIG_GLOBAL names.
fn git() -> Vec<Case> {
    let all = [
        ("nothing", ""),
        ("sslv3", "[http]\n\tsslVersion = sslv3\n"),
        ("tlsv1", "[http]\n\tsslVersion = tlsv1\n"),
        ("tlsv1.1", "[http]\n\tsslVersion = tlsv1.1\n"),
        ("tlsv1.2", "[http]\n\tsslVersion = tlsv1.2\n"),
        ("tlsv1.3", "[HTTP]\r\n\tSSLVERSION = \"tlsv1\".3 # newest\r\n"),
        ("upper-case", "[http]\n\tsslVersion = TLSv1.3\n"),
        ("nonsense", "[http]\n\tsslVersion = nonsense\n"),
        ("empty", "[http]\n\tsslVersion = tlsv1.3\n\tsslVersion =\n"),
        ("without-value", "[http]\n\tsslVersion\n"),
        ("later", "[http]\n\tsslVersion = tlsv1.2\n[http]\n\tsslVersion = tlsv1.3\n"),
        ("inline", "[http] sslVersion = tlsv1.3\n"),
        ("continued", "[http]\n\tsslVersion = tls\\\nv1.3\n"),
        ("url", "[http \"https://localhost:{port}\"]\n\tsslVersion = tlsv1.3\n[http]\n\tsslVersion = tlsv1.2\n"),
        ("url-other-port", "[http \"https://localhost\"]\n\tsslVersion = tlsv1.3\n[http]\n\tsslVersion = tlsv1.2\n"),
        ("url-other-scheme", "[http \"http://localhost:{port}\"]\n\tsslVersion = tlsv1.3\n"),
        ("url-wildcard", "[http \"https://*:{port}\"]\n\tsslVersion = tlsv1.3\n"),
        (
            "url-exact-over-wildcard",
            "[http \"https://localhost:{port}\"]\n\tsslVersion = tlsv1.2\n[http \"https://*:{port}\"]\n\tsslVersion = tlsv1.3\n",
        ),
        ("include", "[include]\n\tpath = more\n[http]\n\tproxySSLCert = x\n"),
        ("include-before", "[include]\n\tpath = more\n[http]\n\tsslVersion = tlsv1.2\n"),
        ("include-missing", "[include]\n\tpath = none\n[http]\n\tsslVersion = tlsv1.2\n"),
        ("include-itself", "[include]\n\tpath = gitconfig\n"),
        ("cipher-list", "[http]\n\tsslCipherList = AES128-SHA\n"),
        ("backend-gnutls", "[http]\n\tsslBackend = gnutls\n\tsslVersion = tlsv1.2\n"),
        ("backend-openssl", "[http]\n\tsslBackend = openssl\n"),
        ("bad-section", "[http\nsslVersion = tlsv1.2\n"),
        ("bad-escape", "[http]\n\tsslVersion = tlsv1.2\\q\n"),
        ("bad-quote", "[http]\n\tsslVersion = \"tlsv1.2\n"),
        ("bad-name", "[http]\n\tssl_version = tlsv1.2\n"),
        ("byte-order-mark", "\u{feff}[http]\nsslVersion = tlsv1.3\n"),
    ];
    let make = |(name, text): (&str, &str)| {
        let mut case = case("git", "/usr/bin/git", name, "gitconfig", text, &["ls-remote", "https://localhost:{port}/a/b"]);
        case.files.push(("more".to_owned(), b"[http]\n\tsslVersion = tlsv1.3\n".to_vec()));
        case.env = vec![("GIT_CONFIG_GLOBAL", "{dir}/gitconfig".to_owned()), ("GIT_TERMINAL_PROMPT", "0".to_owned())];
        under_a_policy(&mut case);
        case
    };
    all.map(make).into()
}

/// A system-wide file of GnuTLS that takes something of everything away, for programs that have files of their own.
fn under_a_policy(case: &mut Case) {
    let policy = "[priorities]\nSYSTEM = SECURE128\n[overrides]\ndisabled-version = tls1.0\ntls-disabled-group = GROUP-X448\n\
                  tls-disabled-cipher = AES-128-CBC\ninsecure-sig = RSA-SHA512\n";
    case.files.push(("policy".to_owned(), policy.as_bytes().to_vec()));
    case.env.push(("GNUTLS_SYSTEM_PRIORITY_FILE", "{dir}/policy".to_owned()));
}
