//! Caddy: sites, policies, certificates, in a Caddyfile and in JSON; each on the distribution's release and on a newer one.

use super::case::{Case, Look};

const GOOD: &str = "good.example.test";
const OTHER: &str = "other.example.test";

/// The newer release, as `.ci/install` puts it there.
const NEWER: (&str, &str) = ("caddy-2.11", "2.11.7");

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    let all = [directives(), sites(), language(), refused(), json()].concat();
    let newer = all.iter().map(|case| Case {
        id: case.id.replacen("caddy/", "caddy/newer-", 1),
        program: NEWER.0,
        assumed: &[("caddy", NEWER.1)],
        ..case.clone()
    });
    let newer: Vec<Case> = newer.collect();
    [all, newer, of_2_6(), of_2_11()].concat()
}

/// Global options with which Caddy leaves this machine alone.
const GLOBAL: &str = "admin off\n\tstorage file_system {dir}\n\tskip_install_trust\n\tlocal_certs\n\thttp_port {port4}\n";
/// The certificate of the first name.
const TLS: &str = "tls {pki}/rsa.pem {pki}/rsa.key";
const OTHER_TLS: &str = "tls {pki}/other.pem {pki}/other.key";

fn run(id: &str, main: &str, text: String, names: &[&str]) -> Case {
    let adapter = if main.ends_with(".json") { "" } else { "--adapter caddyfile" };
    let args = format!("run --config {{dir}}/{main} {adapter}");
    Case {
        id: format!("caddy/{id}"),
        dialect: "caddy",
        program: "caddy",
        args: args.split_whitespace().map(str::to_owned).collect(),
        files: vec![(main.to_owned(), text.into_bytes())],
        main: main.to_owned(),
        env: vec![("HOME", "{dir}".into()), ("XDG_CONFIG_HOME", "{dir}".into()), ("XDG_DATA_HOME", "{dir}".into())],
        looks: names.iter().map(|name| Look::name(name)).collect(),
        ..Case::default()
    }
}

fn caddyfile(id: &str, options: &str, sites: &str, names: &[&str]) -> Case {
    run(id, "Caddyfile", format!("{{\n\t{GLOBAL}\t{options}\n}}\n{sites}\n"), names)
}

/// One site with this within its `tls`.
fn site(id: &str, inside: &str) -> Case {
    let block = if inside.is_empty() { String::new() } else { format!(" {{\n\t\t{inside}\n\t}}") };
    caddyfile(id, "", &format!("{GOOD}:{{port}} {{\n\t{TLS}{block}\n\trespond ok\n}}"), &[GOOD])
}

fn with_files(case: Case, files: &[(&str, &str)]) -> Case {
    let more = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Case { files: case.files.iter().cloned().chain(more).collect(), ..case }
}

fn directives() -> Vec<Case> {
    vec![
        site("defaults", ""),
        site("protocols-both", "protocols tls1.2 tls1.3"),
        site("protocols-lowest", "protocols tls1.3"),
        site("protocols-only-1.2", "protocols tls1.2 tls1.2"),
        site("protocols-twice", "protocols tls1.2 tls1.2\n\t\tprotocols tls1.2"),
        site("protocols-twice-other-way", "protocols tls1.3\n\t\tprotocols tls1.2 tls1.2"),
        site("ciphers", "ciphers TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        site("ciphers-old", "ciphers TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
        site(
            "ciphers-two-lines",
            "ciphers TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n\t\tciphers TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ),
        site("ciphers-of-1.3", "ciphers TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 TLS_AES_128_GCM_SHA256"),
        site("ciphers-of-1.3-alone", "ciphers TLS_AES_256_GCM_SHA384"),
        site("ciphers-of-another-key", "ciphers TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        site("curves", "curves secp384r1 x25519"),
        site("curves-two-lines", "curves secp521r1\n\t\tcurves secp256r1"),
        site("alpn", "alpn http/1.1"),
        site("alpn-other", "alpn h2"),
        site("client-request", "client_auth {\n\t\t\tmode request\n\t\t}"),
        site("client-require", "client_auth {\n\t\t\tmode require\n\t\t}"),
        site(
            "client-verify-if-given",
            "client_auth {\n\t\t\tmode verify_if_given\n\t\t\ttrusted_ca_cert_file {pki}/ca.pem\n\t\t}",
        ),
        site("client-pool-without-mode", "client_auth {\n\t\t\ttrusted_ca_cert_file {pki}/ca.pem\n\t\t}"),
        site("client-auth-of-nothing", "client_auth {\n\t\t}"),
        // The certificate is made while it starts: there is nothing to look at for a moment.
        caddyfile("internal", "", &format!("{GOOD}:{{port}} {{\n\ttls internal\n}}"), &[]),
        caddyfile("automatic", "", &format!("{GOOD}:{{port}} {{\n\trespond ok\n}}"), &[]),
        caddyfile(
            "issuer-and-protocols",
            "",
            &format!("{GOOD}:{{port}} {{\n\ttls {{\n\t\tissuer internal\n\t\tprotocols tls1.3\n\t}}\n}}"),
            &[],
        ),
    ]
}

fn sites() -> Vec<Case> {
    let two = |id: &str, first: &str, second: &str| {
        let text = format!("{GOOD}:{{port}} {{\n\t{TLS}{first}\n}}\n{OTHER}:{{port}} {{\n\t{OTHER_TLS}{second}\n}}");
        caddyfile(id, "", &text, &[GOOD, OTHER])
    };
    let third = "{\n\t\tprotocols tls1.3\n\t}";
    vec![
        two("two-sites", "", ""),
        two("two-sites-other-versions", &format!(" {third}"), ""),
        two("two-sites-second", "", " {\n\t\tprotocols tls1.2 tls1.2\n\t\tcurves secp384r1\n\t}"),
        caddyfile(
            "wildcard-rules-a-site-without-tls",
            "",
            &format!("{GOOD}:{{port}} {{\n\trespond ok\n}}\n*.example.test:{{port}} {{\n\t{TLS} {third}\n}}"),
            &[GOOD, OTHER],
        ),
        caddyfile(
            "wildcard-with-client-certificates",
            "",
            &format!(
                "*.example.test:{{port}} {{\n\t{TLS} {{\n\t\tprotocols tls1.3\n\t\tclient_auth {{\n\t\t\tmode request\n\t\t}}\n\t}}\n}}\n\
                 {OTHER}:{{port}} {{\n\trespond ok\n}}\n{GOOD}:{{port}} {{\n\ttls internal\n}}"
            ),
            &["third.example.test", GOOD, OTHER],
        ),
        caddyfile(
            "site-before-wildcard",
            "",
            &format!("*.example.test:{{port}} {{\n\t{TLS} {third}\n}}\n{OTHER}:{{port}} {{\n\t{OTHER_TLS}\n}}"),
            &[GOOD, OTHER],
        ),
        caddyfile(
            "names-of-one-site",
            "",
            &format!(
                "https://{GOOD}:{{port}}, https://{OTHER}:{{port}},\nthird.example.test:{{port2}} {{\n\t{TLS} {third}\n}}"
            ),
            &[GOOD, OTHER],
        ),
        caddyfile("all-names", "", &format!(":{{port}} {{\n\t{TLS} {third}\n}}"), &[GOOD]),
        caddyfile(
            "all-names-and-one",
            "",
            &format!(":{{port}} {{\n\t{OTHER_TLS} {third}\n}}\n{GOOD}:{{port}} {{\n\t{TLS}\n}}"),
            &[GOOD, OTHER],
        ),
        caddyfile(
            "https-without-name",
            "default_sni good.example.test",
            &format!("https://:{{port}} {{\n\t{TLS}\n}}"),
            &[GOOD],
        ),
        caddyfile(
            "default-sni",
            "default_sni good.example.test",
            &format!("{GOOD}:{{port}} {{\n\t{TLS}\n}}\n{OTHER}:{{port}} {{\n\t{OTHER_TLS} {third}\n}}"),
            &[GOOD, OTHER],
        ),
        caddyfile("plain", "", &format!("http://{GOOD}:{{port}} {{\n\trespond ok\n}}"), &[GOOD]),
        caddyfile("plain-port", "", ":{port} {\n\trespond ok\n}", &[GOOD]),
        caddyfile("https-port", "https_port {port}", &format!("{GOOD} {{\n\t{TLS} {third}\n}}"), &[GOOD]),
        caddyfile(
            "https-port-without-names",
            "https_port {port}\n\tdefault_sni good.example.test",
            ":{port} {\n\trespond ok\n}",
            &[],
        ),
        caddyfile("auto-https-off", "auto_https off", &format!("{GOOD}:{{port}} {{\n\t{TLS}\n}}"), &[GOOD]),
        caddyfile("auto-https-off-named", "auto_https off", &format!("{GOOD}:{{port}} {{\n\trespond ok\n}}"), &[]),
        caddyfile("auto-https-off-https-port", "auto_https off\n\thttps_port {port}", ":{port} {\n\trespond ok\n}", &[GOOD]),
        caddyfile("bind", "", &format!("{GOOD}:{{port}} {{\n\tbind 127.0.0.1\n\t{TLS} {third}\n}}"), &[GOOD]),
        caddyfile("default-bind", "default_bind 127.0.0.1", &format!("{GOOD}:{{port}} {{\n\t{TLS}\n}}"), &[GOOD]),
        caddyfile(
            "servers-protocols",
            "servers {\n\t\tprotocols h1\n\t}",
            &format!("{GOOD}:{{port}} {{\n\t{TLS}\n}}"),
            &[GOOD],
        ),
        caddyfile(
            "servers-of-another-port",
            "servers :1 {\n\t\tprotocols h1\n\t}",
            &format!("{GOOD}:{{port}} {{\n\t{TLS}\n}}"),
            &[GOOD],
        ),
        caddyfile(
            "two-directives",
            "",
            &format!(
                "{GOOD}:{{port}} {{\n\t{TLS}\n\ttls {{\n\t\tprotocols tls1.3\n\t}}\n\ttls {{\n\t\tcurves x25519\n\t}}\n}}"
            ),
            &[GOOD],
        ),
        caddyfile("internal-on-a-port", "", ":{port} {\n\ttls internal {\n\t\ton_demand\n\t}\n}", &[]),
    ]
}

fn language() -> Vec<Case> {
    let plain = |id: &str, text: &str| caddyfile(id, "", text, &[GOOD]);
    vec![
        with_files(
            plain(
                "snippet",
                &format!(
                    "(modern) {{\n\ttls {{pki}}/{{args.0}}.pem {{pki}}/{{args.0}}.key {{\n\t\tprotocols {{args.1}}\n\t}}\n}}\n{GOOD}:{{port}} {{\n\timport modern rsa tls1.3\n}}"
                ),
            ),
            &[],
        ),
        with_files(
            plain("import-files", "import snippets\nimport sites/*.caddy\nthird.example.test:{port} {\n\timport versions\n}"),
            &[
                ("snippets", "(versions) {\n\ttls {pki}/other.pem {pki}/other.key {\n\t\timport inside\n\t}\n}\n"),
                ("inside", "protocols tls1.3\n"),
                (
                    "sites/good.caddy",
                    "good.example.test:{port} {\n\ttls {pki}/rsa.pem {pki}/rsa.key {\n\t\tprotocols tls1.2 tls1.2\n\t}\n}\n",
                ),
            ],
        ),
        plain(
            "variable-default",
            &format!("{{$LAB_SITE:{GOOD}}}:{{port}} {{\n\t{TLS} {{\n\t\tprotocols {{$LAB_VERSIONS:tls1.2 tls1.2}}\n\t}}\n}}"),
        ),
        plain(
            "quotes",
            &format!(
                "\"{GOOD}:{{port}}\" {{\n\ttls `{{pki}}/rsa.pem` \"{{pki}}/rsa.key\" {{\n\t\t\"protocols\" `tls1.3`\n\t}}\n}}"
            ),
        ),
        plain(
            "comments",
            &format!(
                "# protocols\n{GOOD}:{{port}} {{ # {{\n\t{TLS} {{ # x\n\t\t# protocols tls1.3\n\t\tprotocols tls1.2 tls1.2 # tls1.3\n\t}}\n}}"
            ),
        ),
        plain(
            "escaped-line-end",
            &format!("{GOOD}:{{port}} {{\n\t{TLS} {{\n\t\tprotocols \\\n\t\t\ttls1.2 \\\n\t\t\ttls1.2\n\t}}\n}}"),
        ),
        plain("crlf", &format!("{GOOD}:{{port}} {{\r\n\t{TLS} {{\r\n\t\tprotocols tls1.3\r\n\t}}\r\n}}\r\n")),
        plain("closing-brace-at-the-end", &format!("{GOOD}:{{port}} {{\n\t{TLS}\n}}\n}}")),
        plain("upper-case", &format!("Good.EXAMPLE.test:{{port}} {{\n\t{TLS} {{\n\t\tprotocols tls1.3\n\t}}\n}}")),
        plain(
            "respond-with-braces",
            &format!("{GOOD}:{{port}} {{\n\trespond \"{{\n tls {{\" 200\n\t{TLS} {{\n\t\tprotocols tls1.3\n\t}}\n}}"),
        ),
        plain(
            "matcher-and-handle",
            &format!(
                "{GOOD}:{{port}} {{\n\t@a path /a*\n\thandle @a {{\n\t\trespond \"a\"\n\t}}\n\thandle {{\n\t\trespond \"b\"\n\t}}\n\t{TLS} {{\n\t\tprotocols tls1.3\n\t}}\n}}"
            ),
        ),
        run(
            "single-site-without-braces",
            "Caddyfile",
            format!("{{\n\t{GLOBAL}}}\n\n{GOOD}:{{port}}\n\n{TLS} {{\n\tprotocols tls1.3\n}}\nrespond ok\n"),
            &[GOOD],
        ),
    ]
}

fn refused() -> Vec<Case> {
    let no = |id: &str, text: String| Case { refused: true, ..caddyfile(&format!("refused-{id}"), "", &text, &[]) };
    let inside = |id: &str, inside: &str| no(id, format!("{GOOD}:{{port}} {{\n\t{TLS} {{\n\t\t{inside}\n\t}}\n}}"));
    vec![
        inside("version", "protocols tls1.1"),
        inside("version-case", "protocols TLS1.2"),
        inside("no-version", "protocols"),
        inside("range", "protocols tls1.3 tls1.2"),
        inside("suite", "ciphers ECDHE-RSA-AES128-GCM-SHA256"),
        inside("suite-of-dhe", "ciphers TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
        inside("curve", "curves P-256"),
        inside("option", "protocol tls1.2"),
        inside("mode", "client_auth {\n\t\t\tmode always\n\t\t}"),
        inside("alpn", "alpn"),
        no("naked-tls", format!("{GOOD}:{{port}} {{\n\ttls\n}}")),
        no("one-file", format!("{GOOD}:{{port}} {{\n\ttls {{pki}}/rsa.pem\n}}")),
        no("brace", format!("{GOOD}:{{port}} {{\n\t{TLS}\n")),
        no("closing-brace", format!("{GOOD}:{{port}} {{\n\t{TLS}\n}}\n}}\n{OTHER}:{{port}} {{\n}}")),
        no("address-twice", format!("{GOOD}:{{port}} {{\n\t{TLS}\n}}\n{GOOD}:{{port}} {{\n}}")),
        no("two-schemes", format!("http://{GOOD}:{{port}} {{\n}}\nhttps://{OTHER}:{{port}} {{\n\t{TLS}\n}}")),
        no("tls-on-http", format!("http://{GOOD}:{{port}} {{\n\t{TLS}\n}}")),
        no("import", format!("{GOOD}:{{port}} {{\n\timport nothing\n}}")),
        no("import-itself", format!("import Caddyfile\n{GOOD}:{{port}} {{\n}}")),
        no(
            "two-directives",
            format!("{GOOD}:{{port}} {{\n\ttls {{\n\t\tprotocols tls1.2\n\t}}\n\ttls {{\n\t\tprotocols tls1.3\n\t}}\n}}"),
        ),
        no("snippet-twice", format!("(a) {{\n}}\n(a) {{\n}}\n{GOOD}:{{port}} {{\n\t{TLS}\n}}")),
        no("late-options", format!("{GOOD}:{{port}} {{\n\t{TLS}\n}}\n{{\n\tdebug\n}}")),
        no("port", format!("{GOOD}:99999 {{\n}}")),
    ]
}

/// A server in JSON with these policies.
fn policies(id: &str, more: &str, policies: &str, names: &[&str]) -> Case {
    let text = format!(
        r#"{{"admin": {{"disabled": true}}, "storage": {{"module": "file_system", "root": "{{dir}}"}}, "apps": {{
  "http": {{"http_port": {{port4}}, "servers": {{"lab": {{
    "listen": ["127.0.0.1:{{port}}"], {more}
    "tls_connection_policies": [
      {policies}
    ],
    "routes": [{{"handle": [{{"handler": "static_response", "body": "ok"}}]}}]
  }}}}}},
  "tls": {{"certificates": {{"load_files": [
    {{"certificate": "{{pki}}/rsa.pem", "key": "{{pki}}/rsa.key", "tags": ["good"]}},
    {{"certificate": "{{pki}}/other.pem", "key": "{{pki}}/other.key", "tags": ["other"]}}
  ]}}}}
}}}}"#
    );
    run(&format!("json-{id}"), "caddy.json", text, names)
}

fn json() -> Vec<Case> {
    vec![
        policies("empty-policy", "", "{}", &[GOOD, OTHER]),
        policies("minimum", "", r#"{"protocol_min": "tls1.3"}"#, &[GOOD]),
        policies("maximum", "", r#"{"protocol_max": "tls1.2", "curves": ["secp384r1"]}"#, &[GOOD]),
        policies(
            "first-wins",
            "",
            r#"{"match": {"sni": ["*.example.test"]}, "protocol_min": "tls1.3"},
      {"match": {"sni": ["good.example.test"]}, "protocol_max": "tls1.2"}, {"alpn": ["http/1.1"]}"#,
            &[GOOD, OTHER],
        ),
        policies(
            "exact-first",
            "",
            r#"{"match": {"sni": ["Good.example.test"]}, "protocol_max": "tls1.2"},
      {"match": {"sni": ["*.example.test"]}, "protocol_min": "tls1.3"}"#,
            &[GOOD, OTHER],
        ),
        policies("all-names-first", "", r#"{"protocol_min": "tls1.3"}, {"match": {"sni": ["good.example.test"]}}"#, &[GOOD]),
        policies("no-policy-for-the-name", "", r#"{"match": {"sni": ["good.example.test"]}}"#, &[GOOD, "unknown.example.test"]),
        policies(
            "certificate-by-tag",
            "",
            r#"{"match": {"sni": ["good.example.test"]}, "certificate_selection": {"any_tag": ["other"]}},
      {"certificate_selection": {"any_tag": ["good"]}}"#,
            &[GOOD],
        ),
        policies(
            "suites",
            "",
            r#"{"cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"]}"#,
            &[GOOD],
        ),
        policies("client-authentication", "", r#"{"client_authentication": {"mode": "request"}}"#, &[GOOD]),
        policies(
            "client-authentication-by-authority",
            "",
            r#"{"client_authentication": {"trusted_ca_certs_pem_files": ["{pki}/ca.pem"]}}"#,
            &[GOOD],
        ),
        policies("client-authentication-of-nothing", "", r#"{"client_authentication": {}}"#, &[GOOD]),
        policies("alpn", "", r#"{"alpn": ["http/1.1", "h2"]}"#, &[GOOD]),
        policies("alpn-empty", "", r#"{"alpn": []}"#, &[GOOD]),
        policies("protocols", r#""protocols": ["h1"],"#, "{}", &[GOOD]),
        policies("no-policies", "", "", &[GOOD]),
        policies("member-twice", "", r#"{"protocol_min": "tls1.3", "protocol_min": "tls1.2"}"#, &[GOOD]),
        policies("unknown-version", "", r#"{"protocol_min": "tls1.1", "protocol_max": "tls1.2"}"#, &[GOOD]),
        Case { refused: true, ..policies("refused-range", "", r#"{"protocol_min": "tls1.3", "protocol_max": "tls1.2"}"#, &[]) },
        Case { refused: true, ..policies("refused-suite", "", r#"{"cipher_suites": ["AES128-SHA"]}"#, &[]) },
        Case { refused: true, ..policies("refused-comma", "", r#"{"protocol_min": "tls1.3",}"#, &[]) },
        Case { refused: true, ..policies("refused-mode", "", r#"{"client_authentication": {"mode": "always"}}"#, &[]) },
    ]
}

/// What only the older one does so.
fn of_2_6() -> Vec<Case> {
    let options = "servers {\n\t\tprotocols h2\n\t}";
    let http2 = caddyfile("refused-2.6-http2-alone", options, &format!("{GOOD}:{{port}} {{\n\t{TLS}\n}}"), &[]);
    vec![Case { refused: true, ..http2 }]
}

/// What only the newer release knows.
fn of_2_11() -> Vec<Case> {
    let newer = |case: Case| Case { program: NEWER.0, assumed: &[("caddy", NEWER.1)], ..case };
    vec![
        newer(site("2.11-hybrid-alone", "curves x25519mlkem768")),
        newer(site("2.11-trust-pool", "client_auth {\n\t\t\ttrust_pool file {pki}/ca.pem\n\t\t}")),
        newer(site(
            "2.11-trust-pool-mode",
            "client_auth {\n\t\t\tmode verify_if_given\n\t\t\ttrust_pool file {\n\t\t\t\tpem_file {pki}/ca.pem\n\t\t\t}\n\t\t}",
        )),
        newer(caddyfile(
            "2.11-heredoc",
            "",
            &format!(
                "{GOOD}:{{port}} {{\n\trespond <<END\n\t\ttls {{\n\t\t}}\n\t\tEND 200\n\t{TLS} {{\n\t\tprotocols tls1.3\n\t}}\n}}"
            ),
            &[GOOD],
        )),
        newer(caddyfile(
            "2.11-arguments",
            "",
            &format!(
                "(s) {{\n\ttls {{pki}}/{{args[0]}}.pem {{pki}}/{{args[0]}}.key {{\n\t\tprotocols {{args[1:]}}\n\t\t{{block}}\n\t}}\n}}\n\
                 {GOOD}:{{port}} {{\n\timport s rsa tls1.2 tls1.2 {{\n\t\tcurves secp384r1\n\t}}\n}}"
            ),
            &[GOOD],
        )),
        newer(caddyfile(
            "2.11-http2-alone",
            "servers :{port} {\n\t\tprotocols h2\n\t}",
            &format!("{GOOD}:{{port}} {{\n\t{TLS}\n}}"),
            &[GOOD],
        )),
        newer(with_files(
            caddyfile("2.11-hidden-file", "", "import *.site", &[GOOD]),
            &[
                ("a.site", "good.example.test:{port} {\n\ttls {pki}/rsa.pem {pki}/rsa.key {\n\t\tprotocols tls1.3\n\t}\n}\n"),
                (".hidden.site", "good.example.test:{port} {\n}\n"),
            ],
        )),
        newer(Case { refused: true, ..caddyfile("refused-2.11-scheme", "", &format!("wss://{GOOD}:{{port}} {{\n}}"), &[]) }),
        newer(Case {
            refused: true,
            ..caddyfile("refused-2.11-heredoc", "", &format!("{GOOD}:{{port}} {{\n\trespond <<END\n\t\tx\n\t{TLS}\n}}"), &[])
        }),
    ]
}
