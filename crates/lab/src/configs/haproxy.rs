//! HAProxy: what global defaults, the bind line and the entries of a crt-list decide.

use super::case::{Case, Look};

const GOOD: &str = "good.example.test";
const OTHER: &str = "other.example.test";

/// Every version that a line names leads to a handshake.
const ANY: &str = "ciphers DEFAULT:@SECLEVEL=0";

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    [versions(), order(), lists(), crt_lists(), words(), files(), refused()].concat()
}

fn case(id: &str, text: &str, names: &[&str]) -> Case {
    Case {
        id: format!("haproxy/{id}"),
        dialect: "haproxy",
        program: "haproxy",
        args: ["-db", "-f", "{dir}/haproxy.cfg"].map(String::from).to_vec(),
        files: vec![("haproxy.cfg".to_owned(), text.as_bytes().to_vec())],
        main: "haproxy.cfg".to_owned(),
        looks: names.iter().map(|name| Look::name(name)).collect(),
        ..Case::default()
    }
}

const DEFAULTS: &str = "defaults\n  mode http\n  timeout client 20s\n  timeout server 20s\n  timeout connect 5s\n";
const ANSWER: &str = "  http-request return status 200 content-type text/plain string ok\n";

fn config(global: &str, bind: &str) -> String {
    format!("global\n  {global}\n{DEFAULTS}frontend lab\n  bind 127.0.0.1:{{port}} {bind}\n{ANSWER}")
}

/// One bind line with one certificate.
fn site(id: &str, global: &str, bind: &str) -> Case {
    case(id, &config(global, &format!("ssl crt {{pki}}/rsa.all.pem {bind}")), &[GOOD, "unknown.example.test", ""])
}

fn with_files(case: Case, files: &[(&str, &str)]) -> Case {
    let more = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Case { files: case.files.iter().cloned().chain(more).collect(), ..case }
}

/// Global defaults beside words of the line: each with each.
fn versions() -> Vec<Case> {
    let globals = [
        ("none", ""),
        ("min-1.1", "ssl-default-bind-options ssl-min-ver TLSv1.1"),
        ("max-1.2", "ssl-default-bind-options ssl-max-ver TLSv1.2"),
        ("no-1.3", "ssl-default-bind-options no-tlsv13"),
    ];
    let lines = [
        ("none", ""),
        ("min-1.0", "ssl-min-ver TLSv1.0"),
        ("min-1.3", "ssl-min-ver TLSv1.3"),
        ("max-1.1", "ssl-max-ver TLSv1.1"),
        ("force-1.2", "force-tlsv12"),
        ("no-1.2", "no-tlsv12"),
        ("no-1.0", "no-tlsv10"),
    ];
    let mut all = Vec::new();
    for (outer, global) in globals {
        for (inner, line) in lines {
            // These leave nothing.
            if (outer, inner) == ("max-1.2", "min-1.3") || (outer, inner) == ("no-1.3", "no-1.2") {
                continue;
            }
            let one = site(&format!("global-{outer}-line-{inner}"), global, &format!("{ANY} {line}"));
            all.push(Case { looks: vec![Look::name(GOOD)], ..one });
        }
    }
    all
}

/// What stands twice, and what comes too late.
fn order() -> Vec<Case> {
    let late = format!(
        "{DEFAULTS}frontend lab\n  bind 127.0.0.1:{{port}} ssl crt {{pki}}/rsa.all.pem\n{ANSWER}\
         global\n  ssl-default-bind-options ssl-min-ver TLSv1.3\n"
    );
    let between = format!(
        "{DEFAULTS}frontend a\n  bind 127.0.0.1:{{port}} ssl crt {{pki}}/rsa.all.pem\n{ANSWER}\
         global\n  ssl-default-bind-options ssl-min-ver TLSv1.3\n\
         frontend b\n  bind 127.0.0.1:{{port2}} ssl crt {{pki}}/other.all.pem\n{ANSWER}"
    );
    let between = case("global-between-frontends", &between, &[GOOD]);
    let looks = [between.looks.clone(), vec![Look::name(OTHER).at(1)]].concat();
    vec![
        case("global-below-the-frontend", &late, &[GOOD]),
        Case { looks, ..between },
        site("same-word-twice", "", "ssl-min-ver TLSv1.3 ssl-min-ver TLSv1.2"),
        site("force-after-min", "", "ssl-min-ver TLSv1.3 force-tlsv12"),
        site("min-after-force", "", "force-tlsv12 ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.3"),
        site("no-beside-min", "", "no-tlsv13 ssl-min-ver TLSv1.2"),
        site("global-no-beside-max", "ssl-default-bind-options no-tlsv13", "ssl-max-ver TLSv1.3"),
        site(
            "global-twice",
            "ssl-default-bind-options ssl-min-ver TLSv1.3\n  ssl-default-bind-options ssl-min-ver TLSv1.2",
            "",
        ),
        site("words-before-ssl", "", "ssl-min-ver TLSv1.3 ssl"),
    ]
}

fn lists() -> Vec<Case> {
    let ciphers = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";
    vec![
        site("ciphers-global", &format!("ssl-default-bind-ciphers {ciphers}"), ""),
        site("ciphers-line-over-global", "ssl-default-bind-ciphers HIGH", &format!("ciphers {ciphers}")),
        site("ciphersuites-global", "ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256", ""),
        site("ciphersuites-line", "", "ciphersuites TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"),
        site("curves-global", "ssl-default-bind-curves P-384", ""),
        site("curves-line-over-global", "ssl-default-bind-curves P-384", "curves X25519:P-256"),
        site("ecdhe-alone", "", "ecdhe P-384"),
        site("ecdhe-beside-curves", "", "curves X25519 ecdhe P-384"),
        site("ecdhe-beside-global-curves", "ssl-default-bind-curves X25519", "ecdhe P-384"),
        site("client-preference", "", "prefer-client-ciphers"),
        site("client-preference-global", "ssl-default-bind-options prefer-client-ciphers", ""),
        site("alpn", "", "alpn h2,http/1.1"),
        site("client-certificate-optional", "", "verify optional ca-file {pki}/ca.pem"),
        site("client-certificate-base", "ca-base {pki}", "verify required ca-file ca.pem"),
        site("strict-sni", "", "strict-sni"),
    ]
}

fn crt_lists() -> Vec<Case> {
    let listed = |id: &str, global: &str, bind: &str, list: &str| {
        let text = config(global, &format!("ssl crt-list {{dir}}/list {bind}"));
        with_files(case(id, &text, &[GOOD, OTHER, ""]), &[("list", list)])
    };
    let own = |options: &str| format!("{{pki}}/rsa.all.pem\n{{pki}}/other.all.pem [{options}] {OTHER}\n");
    vec![
        listed("list-filters", "", "", &format!("{{pki}}/rsa.all.pem\n{{pki}}/other.all.pem {OTHER}\n")),
        listed("list-own-minimum", "", "", &own("ssl-min-ver TLSv1.3")),
        listed("list-own-maximum", "", "", &own("ssl-max-ver TLSv1.2")),
        listed("list-own-minimum-over-line", "", "ssl-min-ver TLSv1.3", &own("ssl-min-ver TLSv1.2")),
        listed("list-own-maximum-over-force", "", "force-tlsv12", &own("ssl-max-ver TLSv1.3")),
        listed("list-own-ciphers", "", "", &own("ciphers ECDHE+AES128")),
        listed("list-own-ciphersuites", "", "", &own("ciphersuites TLS_AES_128_GCM_SHA256")),
        listed("list-own-curves", "ssl-default-bind-curves X25519", "", &own("curves P-384")),
        listed("list-own-curves-alone", "", "", &own("curves P-384")),
        listed("list-own-alpn", "", "alpn h2,http/1.1", &own("alpn http/1.1")),
        listed("list-own-verify", "", "", &own("verify required ca-file {pki}/ca.pem")),
        listed("list-verify-taken-back", "", "verify optional ca-file {pki}/ca.pem", &own("verify none")),
        listed(
            "list-wildcard",
            "",
            "",
            "{pki}/rsa.all.pem\n{pki}/other.all.pem [ssl-min-ver TLSv1.3] *.example.test !good.example.test\n",
        ),
        listed(
            "list-comments",
            "",
            "",
            &format!("# c\n\n  {{pki}}/rsa.all.pem\t\n{{pki}}/other.all.pem [ssl-max-ver TLSv1.2]{OTHER}\n"),
        ),
    ]
}

/// Quotes, variables and conditions.
fn words() -> Vec<Case> {
    let condition = |condition: &str| {
        format!(
            ".if {condition}\n  ssl-default-bind-options ssl-min-ver TLSv1.3\n.else\n  ssl-default-bind-options ssl-max-ver TLSv1.2\n.endif"
        )
    };
    vec![
        site("quotes", "", "\"ssl-min-ver\" 'TLSv1.3'"),
        site("escapes", "", "ssl-min-ver TLSv1\\x2e3 # ssl-max-ver TLSv1.2"),
        site("variable-set", "setenv V TLSv1.3", "ssl-min-ver \"$V\""),
        site("variable-default", "", "ssl-min-ver \"${TLSWHY_NO_SUCH-TLSv1.3}\""),
        site("condition-version", &condition("version_atleast(2.4)"), ""),
        site("condition-not", &condition("!version_atleast(2.4) || 0"), ""),
        site("condition-text", &condition("streq(a,a) && 1"), ""),
        Case {
            files: vec![(
                "haproxy.cfg".to_owned(),
                config("", "ssl crt {pki}/rsa.all.pem ssl-min-ver TLSv1.3").replace('\n', "\r\n").into_bytes(),
            )],
            ..site("crlf", "", "")
        },
        site("latin-1", "description caf\u{e9}", "force-tlsv13"),
    ]
}

/// Several files and directories.
fn files() -> Vec<Case> {
    let directory = case("directory-of-files", "", &[GOOD]);
    let front = format!("{DEFAULTS}frontend lab\n  bind 127.0.0.1:{{port}} ssl crt {{pki}}/rsa.all.pem\n{ANSWER}");
    let in_directory = |name: &str, text: &str| (format!("conf/{name}"), text.as_bytes().to_vec());
    let certificates = case("directory-of-certificates", &config("", "ssl crt {dir}/certs"), &[GOOD, ""]);
    let base = case("certificate-base", &config("crt-base {pki}", "ssl crt rsa.all.pem"), &[GOOD]);
    let bundle = case("certificate-bundle", &config("", "ssl crt {dir}/pair"), &[GOOD]);
    let plain = case("no-ssl", &config("", "crt {pki}/rsa.all.pem"), &[GOOD]);
    vec![
        Case {
            args: ["-db", "-f", "{dir}/conf"].map(String::from).to_vec(),
            files: vec![
                in_directory("10-global.cfg", "global\n  ssl-default-bind-options ssl-min-ver TLSv1.3\n"),
                in_directory("20-front.cfg", &front),
                in_directory("30-late.cfg", "global\n  ssl-default-bind-options ssl-min-ver TLSv1.2\n"),
                in_directory("note.txt", "nonsense\n"),
            ],
            main: "conf".to_owned(),
            ..directory
        },
        Case {
            setup:
                "mkdir certs && cp {pki}/rsa.all.pem certs/b.pem && cp {pki}/other.all.pem certs/c.pem && echo x > certs/.a.pem"
                    .to_owned(),
            ..certificates
        },
        base,
        Case { setup: "cp {pki}/rsa.all.pem pair.rsa && cp {pki}/ecdsa.all.pem pair.ecdsa".to_owned(), ..bundle },
        plain,
    ]
}

fn refused() -> Vec<Case> {
    let refused = |case: Case| Case { refused: true, ..case };
    let whole = |id: &str, bind: &str| refused(case(id, &config("", bind), &[GOOD]));
    let bad_list = with_files(
        case("refused-list-force", &config("", "ssl crt-list {dir}/list"), &[GOOD]),
        &[("list", "{pki}/rsa.all.pem [force-tlsv12] a.test\n")],
    );
    let cut = site("refused-no-line-end", "", "");
    let bytes = config("", "ssl crt {pki}/rsa.all.pem");
    let files = vec![("haproxy.cfg".to_owned(), bytes.trim_end().as_bytes().to_vec())];
    vec![
        whole("refused-no-certificate", "ssl"),
        whole("refused-missing-certificate", "ssl crt {dir}/none.pem"),
        whole("refused-missing-list", "ssl crt-list {dir}/none"),
        refused(site("refused-verify-without-ca", "", "verify required")),
        refused(site("refused-range", "", "ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.2")),
        refused(site("refused-nothing-left", "", "no-tlsv12 no-tlsv13")),
        refused(site("refused-version", "", "ssl-min-ver TLSv1.4")),
        refused(site("refused-quote", "", "ssl-min-ver \"TLSv1.3")),
        refused(site("refused-open-condition", ".if 1", "")),
        refused(bad_list),
        Case { refused: true, files, ..cut },
        refused(site("refused-server-without-ca", "", "\nbackend b\n  server s 127.0.0.1:1 ssl")),
    ]
}
