//! nginx: what http, server, includes and the default server decide.

use super::case::{Case, Look};

const GOOD: &str = "good.example.test";
const OTHER: &str = "other.example.test";

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    [inheritance(), servers(), lists(), commands(), certificates(), other_modules(), refused()].concat()
}

fn case(id: &str, http: &str, names: &[&str]) -> Case {
    Case {
        id: format!("nginx/{id}"),
        dialect: "nginx",
        program: "nginx",
        args: ["-e", "{dir}/error.log", "-c", "{dir}/nginx.conf"].map(String::from).to_vec(),
        files: vec![("nginx.conf".to_owned(), main(http).into_bytes())],
        main: "nginx.conf".to_owned(),
        looks: names.iter().map(|name| Look::name(name)).collect(),
        ..Case::default()
    }
}

fn main(http: &str) -> String {
    format!(
        "daemon off; master_process off; pid {{dir}}/nginx.pid; error_log {{dir}}/error.log info;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {{dir}}/t1; proxy_temp_path {{dir}}/t2; fastcgi_temp_path {{dir}}/t3;
    uwsgi_temp_path {{dir}}/t4; scgi_temp_path {{dir}}/t5;
    {http}
}}
"
    )
}

/// A server block with a certificate for its name.
fn server(listen: &str, name: &str, body: &str) -> String {
    let certificate = if name == OTHER { "other" } else { "rsa" };
    format!(
        "server {{ listen 127.0.0.1:{listen}; server_name {name};
        ssl_certificate {{pki}}/{certificate}.pem; ssl_certificate_key {{pki}}/{certificate}.key;
        {body} }}\n"
    )
}

/// The one server of the cases about versions.
fn site(body: &str) -> String {
    server("{port} ssl", GOOD, body)
}

/// The one server of the other cases, so that they show TLS 1.3 too.
fn modern(body: &str) -> String {
    site(&format!("{MODERN} {body}"))
}

const MODERN: &str = "ssl_protocols TLSv1.2 TLSv1.3;";

fn with_files(case: Case, files: &[(&str, &str)]) -> Case {
    let more = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Case { files: case.files.iter().cloned().chain(more).collect(), ..case }
}

fn inheritance() -> Vec<Case> {
    let mut all = Vec::new();
    let outer = [("none", ""), ("1.2", "ssl_protocols TLSv1.2;"), ("1.3", "ssl_protocols TLSv1.3;")];
    let inner = [("none", ""), ("both", "ssl_protocols TLSv1.2 TLSv1.3;")];
    for (http_name, http) in outer {
        for (server_name, body) in inner {
            let id = format!("protocols-http-{http_name}-server-{server_name}");
            all.push(case(&id, &format!("{http}\n{}", site(body)), &[GOOD]));
        }
    }
    all.push(case("protocols-after-the-server", &format!("{}ssl_protocols TLSv1.3;", site("")), &[GOOD]));
    all.push(case("protocols-two-lines", &site("ssl_protocols TLSv1.2;\n ssl_protocols TLSv1.3;"), &[GOOD]));
    all.push(case("protocols-words-in-any-case", &site("ssl_protocols 'tlsv1.3';"), &[GOOD]));
    let body = "ssl_protocols TLSv1 TLSv1.2; ssl_ciphers ALL:@SECLEVEL=0;";
    all.push(case("protocols-with-a-hole", &site(body), &[GOOD]));
    let body = "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;";
    all.push(case("protocols-old-at-level-0", &site(body), &[GOOD]));
    all.push(case("protocols-old-at-the-usual-level", &site("ssl_protocols TLSv1 TLSv1.1 TLSv1.2;"), &[GOOD]));
    all.push(with_files(
        case("include-in-the-server", &site("include snippets/*.conf;"), &[GOOD]),
        &[("snippets/b.conf", "ssl_protocols TLSv1.3;"), ("snippets/a.conf", "ssl_protocols TLSv1.2;")],
    ));
    all
}

fn servers() -> Vec<Case> {
    let two = |first: &str, second: &str| {
        format!("{MODERN}\n{}{}", server("{port} ssl", GOOD, first), server("{port} ssl", OTHER, second))
    };
    let names = [GOOD, OTHER, "unknown.example.test", ""];
    let default = format!(
        "{}{}",
        server("{port} ssl", GOOD, "ssl_protocols TLSv1.2;"),
        server("{port} ssl default_server", OTHER, "ssl_protocols TLSv1.3;")
    );
    let ports = format!(
        "{}{}",
        server("{port} ssl", GOOD, "ssl_protocols TLSv1.2;"),
        server("{port2} ssl", OTHER, "ssl_protocols TLSv1.3;")
    );
    let plain = format!("{}server {{ listen 127.0.0.1:{{port2}}; server_name {OTHER}; }}", modern(""));
    let rejecting = format!("{MODERN} server {{ listen 127.0.0.1:{{port}} ssl; ssl_reject_handshake on; }}\n{}", site(""));
    let on_one = format!(
        "{MODERN}\n{}{}",
        server("{port}", GOOD, ""),
        server("{port} ssl", OTHER, "ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;")
    );
    let on_every = format!(
        "{}{}",
        server("{port} ssl", OTHER, "ssl_protocols TLSv1.3;").replace("127.0.0.1:", "*:"),
        server("{port} ssl", GOOD, "ssl_protocols TLSv1.2;")
    );
    let wildcard = format!(
        "{MODERN}\n{}{}",
        server("{port} ssl", OTHER, "").replace(OTHER, "a.test *.example.test"),
        server("{port} ssl", GOOD, "ssl_ciphers AES256-SHA;")
    );
    let mut on_ports = case("two-ports", &ports, &[GOOD]);
    on_ports.looks.push(Look::name(OTHER).at(1));
    let mut plain = case("plain-port", &plain, &[GOOD]);
    plain.looks.push(Look::name(OTHER).at(1));
    vec![
        case("default-server-decides-the-versions", &two("ssl_protocols TLSv1.2;", "ssl_protocols TLSv1.3;"), &names),
        case("default-server-marked", &default, &names),
        case("second-server-has-its-own-ciphers", &two("", "ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;"), &[GOOD, OTHER]),
        case("second-server-asks-for-certificates", &two("", CLIENTS), &[GOOD, OTHER]),
        case("second-server-has-groups", &two("ssl_ecdh_curve X25519;", "ssl_ecdh_curve secp384r1;"), &[GOOD, OTHER]),
        case("rejecting-default-server", &rejecting, &names),
        on_ports,
        plain,
        case("range-of-ports", &server("{port}-{port} ssl", GOOD, MODERN), &[GOOD]),
        case("second-server-has-suites", &two("", SUITES), &[GOOD, OTHER]),
        case("first-server-has-suites", &two(SUITES, ""), &[GOOD, OTHER]),
        case("second-server-has-a-range", &two("", "ssl_conf_command MinProtocol TLSv1.3;"), &[GOOD, OTHER]),
        case("first-server-has-a-range", &two("ssl_conf_command MaxProtocol TLSv1.2;", ""), &[GOOD, OTHER]),
        case("ssl-on-one-listen-of-a-socket", &on_one, &[GOOD, OTHER]),
        case("every-address-and-one", &on_every, &[GOOD, OTHER]),
        case("wildcard-names", &wildcard, &["a.example.test", GOOD, "unknown.test"]),
    ]
}

const SUITES: &str = "ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;";

const CLIENTS: &str = "ssl_verify_client on; ssl_client_certificate {pki}/ca.pem;";

fn lists() -> Vec<Case> {
    let list = |id: &str, body: &str| case(id, &modern(body), &[GOOD]);
    vec![
        list("ciphers-one", "ssl_ciphers ECDHE-RSA-AES256-GCM-SHA384;"),
        list("ciphers-excluded", "ssl_ciphers 'HIGH:!aNULL:!kRSA:!CAMELLIA:!ARIA';"),
        list("ciphers-all-at-level-0", "ssl_ciphers ALL:@SECLEVEL=0;"),
        list(
            "ciphers-in-the-servers-order",
            "ssl_prefer_server_ciphers on; ssl_ciphers AES128-SHA:AES256-SHA:AES256-GCM-SHA384;",
        ),
        list("ciphers-in-the-clients-order", "ssl_prefer_server_ciphers off; ssl_ciphers AES128-SHA:AES256-SHA;"),
        list("ciphers-with-diffie-hellman", "ssl_ciphers DHE-RSA-AES128-GCM-SHA256:AES128-SHA; ssl_dhparam {pki}/dh2048.pem;"),
        list("ciphers-without-parameters", "ssl_ciphers DHE-RSA-AES128-GCM-SHA256:AES128-SHA;"),
        list("groups-two", "ssl_ecdh_curve X448:prime256v1;"),
        list("groups-one", "ssl_ecdh_curve secp521r1;"),
    ]
}

fn commands() -> Vec<Case> {
    let list = |id: &str, http: &str, body: &str| case(id, &format!("{MODERN}{http}\n{}", site(body)), &[GOOD]);
    vec![
        list("command-suites", "", "ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;"),
        list("command-minimum", "", "ssl_conf_command MinProtocol TLSv1.3;"),
        list("command-maximum", "", "ssl_conf_command MaxProtocol TLSv1.2;"),
        list("command-groups", "", "ssl_conf_command Groups P-384;"),
        list("command-groups-over-the-directive", "", "ssl_ecdh_curve X25519; ssl_conf_command Groups P-384;"),
        list("command-ciphers-over-the-directive", "", "ssl_conf_command CipherString AES256-SHA; ssl_ciphers AES128-SHA;"),
        list("command-over-the-directive-outside", "ssl_conf_command Curves X448;", "ssl_ecdh_curve X25519;"),
        list("command-twice", "", "ssl_conf_command MaxProtocol TLSv1.3; ssl_conf_command MaxProtocol TLSv1.2;"),
        list(
            "command-not-inherited",
            "ssl_conf_command MinProtocol TLSv1.3;",
            "ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;",
        ),
    ]
}

fn certificates() -> Vec<Case> {
    let second = "ssl_certificate {pki}/ecdsa.pem; ssl_certificate_key {pki}/ecdsa.key;";
    vec![
        case("certificates-of-two-kinds", &modern(second), &[GOOD]),
        case("client-certificate-required", &modern(CLIENTS), &[GOOD]),
        case("http-2", &server("{port} ssl http2", GOOD, MODERN), &[GOOD]),
    ]
}

/// The same directives in stream and mail, and bytes that are no UTF-8.
fn other_modules() -> Vec<Case> {
    let module = |needs: &'static [&'static str], name: &str, block: &str, look: Look| Case {
        needs,
        files: vec![(
            "nginx.conf".to_owned(),
            format!(
                "load_module {};
daemon off; master_process off; pid {{dir}}/nginx.pid; error_log {{dir}}/error.log info;
events {{ worker_connections 128; }}
{name} {{ ssl_certificate {{pki}}/rsa.pem; ssl_certificate_key {{pki}}/rsa.key; {MODERN}
{block} }}
",
                needs.first().unwrap_or(&"none")
            )
            .into_bytes(),
        )],
        looks: vec![look],
        ..case(name, "", &[])
    };
    let stream = "server { listen 127.0.0.1:{port} ssl; ssl_ecdh_curve X448; return ok; }";
    let mail = "server_name mail.example.test; auth_http 127.0.0.1:9/auth;
        server { listen 127.0.0.1:{port}; protocol smtp; smtp_auth none; starttls on; ssl_ciphers AES256-SHA; }";
    let imap = "server_name mail.example.test; auth_http 127.0.0.1:9/auth; starttls only;
        server { listen 127.0.0.1:{port}; protocol imap; ssl_ecdh_curve X448; }";
    let imap = module(&["/usr/lib/nginx/modules/ngx_mail_module.so"], "mail", imap, Look::name("").after("imap"));
    let mut bytes = case("latin-1-and-crlf", &modern("ssl_ecdh_curve X25519;"), &[GOOD]);
    for (_, text) in &mut bytes.files {
        let lines = text.split(|byte| *byte == b'\n');
        *text = std::iter::once(b"# gr\xfc\xdfe".as_slice()).chain(lines).collect::<Vec<_>>().join(b"\r\n".as_slice());
    }
    vec![
        module(&["/usr/lib/nginx/modules/ngx_stream_module.so"], "stream", stream, Look::name(GOOD)),
        module(&["/usr/lib/nginx/modules/ngx_mail_module.so"], "mail", mail, Look::name("").after("smtp")),
        Case { id: "nginx/mail-imap".to_owned(), ..imap },
        bytes,
    ]
}

fn refused() -> Vec<Case> {
    let list = |id: &str, body: &str| Case { refused: true, ..case(id, &site(body), &[GOOD]) };
    let default = server("{port} ssl default_server", GOOD, MODERN);
    let defaults = format!("{default}{}", default.replace(GOOD, OTHER));
    let missing = "server { listen 127.0.0.1:{port} ssl; ssl_certificate {dir}/none.pem; ssl_certificate_key {dir}/none.key; }";
    vec![
        Case { refused: true, ..case("refused-missing-certificate", missing, &[GOOD]) },
        list("refused-unknown-version", "ssl_protocols TLSv1.4;"),
        list("refused-certificate-without-its-key", "ssl_certificate {pki}/ecdsa.pem;"),
        list("refused-level-above-the-key", "ssl_ciphers DEFAULT:@SECLEVEL=3;"),
        list("refused-no-cipher", "ssl_ciphers NOSUCH;"),
        list("refused-twice", "ssl_ciphers HIGH; ssl_ciphers MEDIUM;"),
        list("refused-listen-twice", "listen 127.0.0.1:{port};"),
        Case { refused: true, ..case("refused-two-default-servers", &defaults, &[GOOD]) },
        list("refused-unknown-directive", "ssl_protocol TLSv1.3;"),
    ]
}
