//! Apache httpd: what the main server, the virtual hosts, their order and the files decide.

use super::case::{Case, Look};

const GOOD: &str = "good.example.test";
const OTHER: &str = "other.example.test";

/// Versions that need no security level below the usual.
const MODERN: &str = "SSLProtocol -all +TLSv1.2 +TLSv1.3";
/// Without a level every version that a line names leads to a handshake.
const ANY: &str = "SSLCipherSuite DEFAULT:@SECLEVEL=0";

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    [protocols(), inheritance(), first_host(), names(), engine(), lists(), commands(), certificates(), files(), refused()]
        .concat()
}

fn case(id: &str, body: &str, names: &[&str]) -> Case {
    Case {
        id: format!("apache/{id}"),
        dialect: "apache",
        program: "apache2",
        args: ["-X", "-f", "{dir}/httpd.conf"].map(String::from).to_vec(),
        files: vec![("httpd.conf".to_owned(), main(body).into_bytes())],
        main: "httpd.conf".to_owned(),
        setup: "mkdir -p run".to_owned(),
        // It listens before mod_ssl finds out that there is no certificate or no version.
        first_words: "x\r\n\r\n",
        looks: names.iter().map(|name| Look::name(name)).collect(),
        ..Case::default()
    }
}

fn main(body: &str) -> String {
    let modules = ["mpm_event", "authz_core", "socache_shmcb", "headers", "macro", "ssl", "http2"];
    let modules: String =
        modules.iter().map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")).collect();
    format!(
        "ServerRoot \"{{dir}}\"
{modules}PidFile run/pid
DefaultRuntimeDir run
Mutex file:{{dir}}/run
ErrorLog {{dir}}/error.log
ServerName main.example.test
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
Listen 127.0.0.1:{{port}}
{body}
"
    )
}

/// A virtual host with a certificate for its name.
fn host_at(address: &str, name: &str, body: &str) -> String {
    let certificate = if name == OTHER { "other" } else { "rsa" };
    format!(
        "<VirtualHost {address}>
    ServerName {name}
    SSLCertificateFile {{pki}}/{certificate}.pem
    SSLCertificateKeyFile {{pki}}/{certificate}.key
    {body}
</VirtualHost>
"
    )
}

fn host(name: &str, body: &str) -> String {
    host_at("*:{port}", name, &format!("SSLEngine on\n    {body}"))
}

fn two(good: &str, other: &str) -> String {
    format!("{}{}", host(GOOD, good), host(OTHER, other))
}

fn with_files(case: Case, files: &[(&str, &str)]) -> Case {
    let more = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Case { files: case.files.iter().cloned().chain(more).collect(), ..case }
}

fn protocols() -> Vec<Case> {
    let words = [
        ("bare-words", "TLSv1.2 TLSv1.3"),
        ("plus", "+TLSv1.2 +TLSv1.3"),
        ("minus-all", "-all +TLSv1.2"),
        ("hole", "all -TLSv1.2"),
        ("hole-at-1.1", "+TLSv1 +TLSv1.2"),
        ("all", "all"),
        ("all-without-old", "all -SSLv3 -TLSv1 -TLSv1.1"),
        ("bare-then-plus", "TLSv1.3 +TLSv1.2"),
        ("plus-then-bare", "+TLSv1.3 TLSv1.2"),
        ("case", "ALL -tlsv1 -TLSV1.1"),
        ("quoted-words", "\"-all\" '+TLSv1.2'"),
        ("only-1.1", "TLSv1.1"),
    ];
    let one = |(id, words): (&str, &str)| {
        case(&format!("protocol-{id}"), &host(GOOD, &format!("{ANY}\n SSLProtocol {words}")), &[GOOD])
    };
    let mut all: Vec<Case> = words.into_iter().map(one).collect();
    all.push(case("protocol-none", &host(GOOD, ANY), &[GOOD]));
    all.push(case("protocol-two-lines", &host(GOOD, "SSLProtocol TLSv1.2\n SSLProtocol TLSv1.3"), &[GOOD]));
    all.push(case("protocol-continued", &host(GOOD, "SSLProtocol -all \\\n  +TLSv1.2 \\\n  +TLSv1.3"), &[GOOD]));
    all
}

fn inheritance() -> Vec<Case> {
    let mut all = Vec::new();
    let lines = [("none", ""), ("1.2", "SSLProtocol TLSv1.2"), ("1.3", "SSLProtocol TLSv1.3")];
    for (main_name, main) in lines {
        for (first_name, first) in lines {
            for (second_name, second) in lines {
                // Without any line the built-in versions count, which `protocol-none` looks at.
                if main.is_empty() && first.is_empty() {
                    continue;
                }
                let id = format!("inherit-main-{main_name}-first-{first_name}-second-{second_name}");
                all.push(case(&id, &format!("{main}\n{}", two(first, second)), &[GOOD, OTHER, "nobody.test", ""]));
            }
        }
    }
    all.push(case("main-line-after-the-hosts", &format!("{}SSLProtocol TLSv1.3", host(GOOD, "")), &[GOOD]));
    all
}

/// What of a later virtual host counts, and what of the first.
fn first_host() -> Vec<Case> {
    let pair = |id: &str, good: &str, other: &str| {
        case(&format!("first-host-{id}"), &format!("{MODERN}\n{}", two(good, other)), &[GOOD, OTHER])
    };
    let group = |names: &str| format!("SSLOpenSSLConfCmd Groups {names}");
    let suite = |names: &str| format!("SSLCipherSuite TLSv1.3 {names}");
    vec![
        pair("groups", &group("X25519"), &group("P-384")),
        pair("groups-of-the-second", "", &group("P-384")),
        pair("groups-of-the-first", &group("P-384:P-256"), ""),
        pair("suites-1.3", &suite("TLS_AES_128_GCM_SHA256"), &suite("TLS_CHACHA20_POLY1305_SHA256")),
        pair("suites", "SSLCipherSuite ECDHE+AES128", "SSLCipherSuite ECDHE+AES256"),
        pair("order-on-off", "SSLHonorCipherOrder on", "SSLHonorCipherOrder off"),
        pair("order-off-on", "SSLHonorCipherOrder off", "SSLHonorCipherOrder on"),
        pair("verification", "SSLVerifyClient optional\n SSLCACertificateFile {pki}/ca.pem", "SSLVerifyClient none"),
        pair("verification-of-the-second", "", "SSLVerifyClient require\n SSLCACertificateFile {pki}/ca.pem"),
        pair("alpn", "Protocols h2 http/1.1", "Protocols http/1.1"),
        pair("minimum-of-the-first", "SSLProtocol TLSv1.3\n SSLOpenSSLConfCmd MinProtocol TLSv1.2", ""),
        pair("maximum-of-the-second", "", "SSLProtocol -all +TLSv1.2 +TLSv1.3\n SSLOpenSSLConfCmd MaxProtocol TLSv1.2"),
        case(
            "first-host-minimum-without-protocol",
            &two("SSLProtocol +TLSv1.2 +TLSv1.3", "SSLOpenSSLConfCmd MinProtocol TLSv1.3"),
            &[GOOD, OTHER],
        ),
        pair("protocol-command", "SSLOpenSSLConfCmd Protocol -TLSv1.2", ""),
        pair("protocol-command-of-the-second", "", "SSLOpenSSLConfCmd Protocol -TLSv1.3"),
    ]
}

fn names() -> Vec<Case> {
    let modern = |hosts: &str| format!("{MODERN}\n{hosts}");
    vec![
        case(
            "names-alias-and-wildcard",
            &modern(&format!("{}{}", host(GOOD, "ServerAlias a.test *.b.test c?.test"), host(OTHER, "ServerAlias *"))),
            &["a.test", "x.b.test", "x.y.b.test", "b.test", "c1.test", "anything.test", OTHER],
        ),
        case(
            "names-earlier-wildcard-wins",
            &modern(&format!(
                "{}{}",
                host(GOOD, "ServerAlias *.test"),
                host(OTHER, "SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256")
            )),
            &[OTHER, GOOD],
        ),
        case("names-same-name-twice", &modern(&two("", &format!("ServerAlias {GOOD}"))), &[GOOD, OTHER]),
        case("names-port-in-the-name", &modern(&two("", "ServerName https://port.test:8443")), &["port.test", OTHER]),
        case(
            "address-beats-any",
            &modern(&format!("{}{}", host(GOOD, ""), host_at("127.0.0.1:{port}", OTHER, "SSLEngine on\n SSLProtocol TLSv1.3"))),
            &[GOOD, OTHER, ""],
        ),
        case("address-without-port", &modern(&host_at("127.0.0.1", GOOD, "SSLEngine on")), &[GOOD]),
        case("address-default", &modern(&host_at("_default_:{port}", GOOD, "SSLEngine on")), &[GOOD]),
        case(
            "address-two-ports",
            &modern(&format!(
                "Listen 127.0.0.1:{{port2}}\n{}{}",
                host_at("*:{port} *:{port2}", GOOD, "SSLEngine on\n SSLProtocol TLSv1.3"),
                host_at("*:{port2}", OTHER, "SSLEngine on")
            )),
            &[GOOD, OTHER],
        )
        .and_at_two(OTHER),
        case(
            "main-server",
            &modern("SSLEngine on\nSSLCertificateFile {pki}/rsa.pem\nSSLCertificateKeyFile {pki}/rsa.key"),
            &[GOOD, ""],
        ),
    ]
}

impl Case {
    /// Looks at the second port as well.
    fn and_at_two(mut self, name: &str) -> Case {
        self.looks.push(Look::name(name).at(1));
        self
    }
}

fn engine() -> Vec<Case> {
    let plain = |address: &str, name: &str, body: &str| host_at(address, name, body);
    vec![
        case("engine-missing", &plain("*:{port}", GOOD, MODERN), &[GOOD]),
        case("engine-off", &plain("*:{port}", GOOD, "SSLEngine off"), &[GOOD]),
        case("engine-optional", &plain("*:{port}", GOOD, "SSLEngine optional"), &[GOOD]),
        case(
            "engine-of-the-main-server",
            &format!(
                "SSLEngine on\nSSLCertificateFile {{pki}}/other.pem\nSSLCertificateKeyFile {{pki}}/other.key\n{}",
                plain("*:{port}", GOOD, MODERN)
            ),
            &[GOOD],
        ),
        case(
            "engine-by-protocol",
            &format!("Listen 127.0.0.1:{{port2}} https\n{}", plain("127.0.0.1:{port2}", GOOD, MODERN)),
            &[],
        )
        .and_at_two(GOOD),
        case("engine-by-protocol-any", &format!("Listen {{port2}} https\n{}", plain("*:{port2}", GOOD, MODERN)), &[])
            .and_at_two(GOOD),
        case(
            "engine-by-protocol-other-address",
            &format!("Listen 127.0.0.1:{{port2}} https\n{}", plain("*:{port2}", GOOD, MODERN)),
            &[],
        )
        .and_at_two(GOOD),
        case(
            "engine-first-off",
            &format!("{}{}", plain("*:{port}", GOOD, "SSLEngine off"), host(OTHER, MODERN)),
            &[GOOD, OTHER],
        ),
        case(
            "engine-second-off",
            &format!("{}{}", host(GOOD, MODERN), plain("*:{port}", OTHER, "SSLEngine off\n SSLProtocol TLSv1.3")),
            &[GOOD, OTHER],
        ),
    ]
}

fn lists() -> Vec<Case> {
    let list = |id: &str, line: &str| case(&format!("list-{id}"), &format!("{MODERN}\n{}", host(GOOD, line)), &[GOOD]);
    vec![
        list("high", "SSLCipherSuite HIGH"),
        list("with-null", "SSLCipherSuite ALL:eNULL:aNULL:@SECLEVEL=0"),
        list("quoted", "SSLCipherSuite \"ECDHE+AESGCM:!AES256\""),
        list("ssl-word", "SSLCipherSuite SSL ECDHE+AESGCM"),
        list("both-kinds", "SSLCipherSuite ECDHE+AESGCM\n SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256"),
        list("twice", "SSLCipherSuite ECDHE+AES128\n SSLCipherSuite ECDHE+AES256"),
        list("server-order", "SSLCipherSuite ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256\n SSLHonorCipherOrder on"),
        case(
            "list-of-the-main-server",
            &format!("{MODERN}\nSSLCipherSuite ECDHE+AES128\n{}", two("", "SSLCipherSuite ECDHE+AES256")),
            &[GOOD, OTHER],
        ),
    ]
}

fn commands() -> Vec<Case> {
    let one = |id: &str, lines: &str| case(&format!("command-{id}"), &format!("{MODERN}\n{}", host(GOOD, lines)), &[GOOD]);
    vec![
        one("groups", "SSLOpenSSLConfCmd Groups X25519:P-256"),
        one("curves", "SSLOpenSSLConfCmd Curves secp384r1"),
        one("groups-twice", "SSLOpenSSLConfCmd Groups X25519\n SSLOpenSSLConfCmd Groups P-256"),
        one("suites", "SSLOpenSSLConfCmd Ciphersuites TLS_AES_256_GCM_SHA384"),
        one("list-beats-its-directive", "SSLOpenSSLConfCmd CipherString ECDHE+AES256\n SSLCipherSuite ECDHE+AES128"),
        one("maximum", "SSLOpenSSLConfCmd MaxProtocol TLSv1.2"),
        one("minimum-below", "SSLProtocol TLSv1.3\n SSLOpenSSLConfCmd MinProtocol TLSv1.2"),
        case(
            "command-main-then-host",
            &format!("{MODERN}\nSSLOpenSSLConfCmd Groups X25519\n{}", host(GOOD, "SSLOpenSSLConfCmd Groups P-384")),
            &[GOOD],
        ),
    ]
}

fn certificates() -> Vec<Case> {
    let more = "SSLCertificateFile {pki}/ecdsa.pem\n SSLCertificateKeyFile {pki}/ecdsa.key";
    let main = "SSLCertificateFile {pki}/other.pem\nSSLCertificateKeyFile {pki}/other.key\n";
    let bare = format!("<VirtualHost *:{{port}}>\nServerName {GOOD}\nSSLEngine on\n</VirtualHost>\n");
    vec![
        case("certificates-two", &format!("{MODERN}\n{}", host(GOOD, more)), &[GOOD]),
        case("certificates-of-the-main-server", &format!("{MODERN}\n{main}{bare}"), &[GOOD]),
        case("certificates-main-and-host", &format!("{MODERN}\n{main}{}", host(GOOD, "")), &[GOOD]),
        case("certificates-second-of-the-main-server", &format!("{MODERN}\n{main}{more}\n{}", host(GOOD, "")), &[GOOD]),
        with_files(
            Case {
                setup: "mkdir -p run tls; cp {pki}/rsa.pem {pki}/rsa.key tls/".to_owned(),
                ..case(
                    "certificates-from-the-root",
                    &format!(
                        "{MODERN}\n<VirtualHost *:{{port}}>\nServerName {GOOD}\nSSLEngine on\nSSLCertificateFile tls/rsa.pem\n\
                         SSLCertificateKeyFile tls/rsa.key\n</VirtualHost>\n"
                    ),
                    &[GOOD],
                )
            },
            &[],
        ),
    ]
}

fn files() -> Vec<Case> {
    let plain = host(GOOD, "");
    let modern = format!("{MODERN}\n{plain}");
    let mut bytes = case("odd-bytes", &format!("{MODERN}\n# gr\u{fc}\u{df}e \\\nSSLProtocol nonsense\n{plain}"), &[GOOD]);
    for (_, text) in &mut bytes.files {
        let lines = text.split(|byte| *byte == b'\n');
        *text = lines.map(<[u8]>::to_vec).collect::<Vec<_>>().join(b"\r\n".as_slice());
    }
    let conditions = format!(
        "Define NEW
<IfDefine NEW>
SSLProtocol -all +TLSv1.3
</IfDefine>
<IfDefine !NEW>
SSLProtocol nonsense
<IfModule x>
</IfModule>
</IfDefine>
<IfModule !mod_ssl.c>
SSLProtocol nonsense
</IfModule>
<IfModule mod_nothing.c>
SSLProtocol nonsense
</IfModule>
<IfModule headers_module>
SSLHonorCipherOrder on
</IfModule>
<IfVersion >= 2.4.36>
SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256
</IfVersion>
<IfVersion < 2.4>
SSLProtocol nonsense
</IfVersion>
<IfFile \"httpd.conf\">
SSLOpenSSLConfCmd Groups X25519
</IfFile>
<IfFile none>
SSLProtocol nonsense
</IfFile>
{plain}"
    );
    let macros = "<Macro Site $name $cert $version>
<VirtualHost *:{port}>
ServerName $name
SSLEngine on
SSLProtocol $version
SSLCertificateFile {pki}/$cert.pem
SSLCertificateKeyFile {pki}/$cert.key
</VirtualHost>
</Macro>
Use Site good.example.test rsa TLSv1.2
Use Site other.example.test other TLSv1.3
";
    vec![
        with_files(
            case("include-order", &format!("{MODERN}\nIncludeOptional sites/*.conf\n"), &[GOOD, OTHER, ""]),
            &[
                ("sites/b.conf", &plain),
                ("sites/a.conf", &host(OTHER, "SSLProtocol TLSv1.3")),
                ("sites/.hidden.conf", "nonsense"),
                ("sites/c.conf~", "nonsense"),
            ],
        ),
        with_files(
            case("include-directory", &format!("{MODERN}\nInclude sites\n"), &[GOOD, OTHER, ""]),
            &[("sites/z.conf", &plain), ("sites/m/deep.conf", &host(OTHER, "SSLProtocol TLSv1.3"))],
        ),
        with_files(
            case("include-in-a-host", &host(GOOD, "Include tls/modern.inc\n IncludeOptional none.inc"), &[GOOD]),
            &[("tls/modern.inc", "SSLProtocol -all +TLSv1.3\r\n")],
        ),
        with_files(
            case("include-by-variable", &format!("Define PLACE tls\n{}", host(GOOD, "Include ${PLACE}/*.inc")), &[GOOD]),
            &[("tls/1.inc", "SSLProtocol TLSv1.2"), ("tls/2.inc", "SSLProtocol TLSv1.3")],
        ),
        case("variables", &format!("Define VERSIONS \"-all +TLSv1.2\"\n{}", host(GOOD, "SSLProtocol ${VERSIONS}")), &[GOOD]),
        case("conditions", &conditions, &[GOOD]),
        case("macros", macros, &[GOOD, OTHER]),
        case("no-comment-at-the-end", &format!("{modern}# all of this is one \\\ncomment\n"), &[GOOD]),
        bytes,
    ]
}

fn refused() -> Vec<Case> {
    let one = |id: &str, body: &str| Case { refused: true, ..case(&format!("refused-{id}"), body, &[GOOD]) };
    vec![
        one("unknown-version", &host(GOOD, "SSLProtocol TLSv1.4")),
        one("quoted-versions", &host(GOOD, "SSLProtocol \"all -SSLv3\"")),
        one("sslv3", &host(GOOD, "SSLProtocol +SSLv3")),
        one("no-version", &host(GOOD, "SSLProtocol -TLSv1")),
        one("no-cipher", &host(GOOD, "SSLCipherSuite NOSUCH")),
        one("no-certificate", "<VirtualHost *:{port}>\nSSLEngine on\n</VirtualHost>"),
        one("no-certificate-of-the-main-server", &format!("SSLEngine on\n{}", host(GOOD, MODERN))),
        one("missing-include", &format!("{}Include none.conf", host(GOOD, ""))),
        one("nothing-fits", &format!("{}Include none/*.conf", host(GOOD, ""))),
        one("open-section", &format!("{}<VirtualHost *:{{port}}>", host(GOOD, ""))),
        one("wrong-end", &host(GOOD, "<Location />\n </Directory>")),
        one("engine-word", &host(GOOD, "SSLEngine maybe")),
        one("sslpolicy", &host(GOOD, "SSLPolicy modern")),
        one("macro-values", &format!("{}<Macro M $a>\n</Macro>\nUse M\n", host(GOOD, ""))),
        with_files(
            one("loop", &format!("{}Include a.conf", host(GOOD, ""))),
            &[("a.conf", "Include b.conf"), ("b.conf", "Include a.conf")],
        ),
        Case {
            files: vec![("httpd.conf".to_owned(), main(&host(GOOD, "")).replace("LoadModule ssl_module", "#").into_bytes())],
            ..one("without-mod_ssl", "")
        },
    ]
}
