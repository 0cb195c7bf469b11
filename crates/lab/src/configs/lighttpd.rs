//! lighttpd: what the global scope, sockets and hosts decide.

use super::case::{Case, Look};

const GOOD: &str = "good.example.test";
const OTHER: &str = "other.example.test";

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    [lists(), sockets(), hosts(), files(), refused(), gnutls()].concat()
}

fn case(id: &str, body: &str, names: &[&str]) -> Case {
    let head = "server.document-root = \"{dir}/www\"\nserver.errorlog = \"{dir}/error.log\"\nserver.bind = \"127.0.0.1\"\n\
                server.port = {port}\nserver.modules = (\"mod_openssl\")\n";
    Case {
        id: format!("lighttpd/{id}"),
        dialect: "lighttpd",
        program: "lighttpd",
        args: ["-D", "-f", "{dir}/lighttpd.conf"].map(String::from).to_vec(),
        files: vec![("lighttpd.conf".to_owned(), format!("{head}{body}\n").into_bytes())],
        main: "lighttpd.conf".to_owned(),
        setup: "mkdir www".to_owned(),
        looks: names.iter().map(|name| Look::name(name)).collect(),
        ..Case::default()
    }
}

fn with_files(case: Case, files: &[(&str, &str)]) -> Case {
    let more = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Case { files: case.files.iter().cloned().chain(more).collect(), ..case }
}

const CERTIFICATE: &str = "ssl.pemfile = \"{pki}/rsa.pem\"\nssl.privkey = \"{pki}/rsa.key\"\n";
const OTHER_CERTIFICATE: &str = "ssl.pemfile = \"{pki}/other.pem\"\nssl.privkey = \"{pki}/other.key\"\n";

/// TLS on the main socket.
fn site(id: &str, body: &str) -> Case {
    case(id, &format!("ssl.engine = \"enable\"\n{CERTIFICATE}{body}"), &[GOOD, "unknown.example.test", ""])
}

fn command(elements: &str) -> String {
    format!("ssl.openssl.ssl-conf-cmd = ({elements})")
}

fn lists() -> Vec<Case> {
    let list = |id: &str, elements: &str| site(id, &command(elements));
    vec![
        site("defaults", ""),
        list("list-empty", ""),
        list("minimum-1.0", "\"MinProtocol\" => \"TLSv1\", \"CipherString\" => \"DEFAULT:@SECLEVEL=0\""),
        list("minimum-1.1", "\"MinProtocol\" => \"TLSv1.1\", \"CipherString\" => \"DEFAULT:@SECLEVEL=0\""),
        list("minimum-1.3", "\"MinProtocol\" => \"TLSv1.3\""),
        list("minimum-none", "\"MinProtocol\" => \"None\", \"CipherString\" => \"DEFAULT:@SECLEVEL=0\""),
        list("maximum-1.2", "\"MaxProtocol\" => \"TLSv1.2\""),
        list("maximum-none", "\"MaxProtocol\" => \"None\""),
        list("protocol", "\"Protocol\" => \"-ALL, TLSv1.2\""),
        list("protocol-without-1.3", "\"Protocol\" => \"-TLSv1.3\""),
        list("names-in-lower-case", "\"minprotocol\" => \"TLSv1.3\""),
        list("ciphers", "\"CipherString\" => \"ECDHE-RSA-AES128-GCM-SHA256\""),
        list("ciphers-empty", "\"CipherString\" => \"\""),
        list("ciphersuites", "\"Ciphersuites\" => \"TLS_AES_128_GCM_SHA256\""),
        list("groups", "\"Groups\" => \"P-384:X25519\""),
        list("curves", "\"Curves\" => \"P-384\""),
        list("server-preference", "\"Options\" => \"ServerPreference\""),
        list("no-server-preference", "\"Options\" => \"-ServerPreference\""),
        list("level", "\"SecurityLevel\" => \"0\", \"MinProtocol\" => \"TLSv1\", \"CipherString\" => \"ALL\""),
        site("cipher-list", "ssl.cipher-list = \"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384\""),
        site(
            "cipher-list-beside-string",
            &format!("ssl.cipher-list = \"ECDHE+AES128\"\n{}", command("\"CipherString\" => \"ECDHE+AES256\"")),
        ),
        site("client-certificate", "ssl.verifyclient.activate = \"enable\"\nssl.verifyclient.ca-file = \"{pki}/ca.pem\""),
        site(
            "client-certificate-optional",
            "ssl.verifyclient.activate = \"enable\"\nssl.verifyclient.enforce = \"disable\"\nssl.ca-file = \"{pki}/ca.pem\"",
        ),
    ]
}

/// A second socket below a global scope.
fn sockets() -> Vec<Case> {
    let minimum = command("\"MinProtocol\" => \"TLSv1.3\"");
    let second = |id: &str, global: &str, inside: &str| {
        let body = format!("{global}\n$SERVER[\"socket\"] == \"127.0.0.1:{{port2}}\" {{\n{inside}\n}}");
        Case { looks: vec![Look::name(GOOD), Look::name(GOOD).at(1)], ..case(id, &body, &[]) }
    };
    let tls = format!("ssl.engine = \"enable\"\n{CERTIFICATE}{minimum}");
    let idle = format!("{CERTIFICATE}{minimum}");
    let own = |more: &str| format!("ssl.engine = \"enable\"\n{OTHER_CERTIFICATE}{more}");
    vec![
        second("socket-without-settings", &tls, "server.max-keep-alive-idle = 5"),
        second("socket-empty", &tls, ""),
        second("socket-engine-alone", &tls, "ssl.engine = \"enable\""),
        second("socket-engine-off", &tls, "ssl.engine = \"disable\""),
        second("socket-engine-alone-global-off", &idle, "ssl.engine = \"enable\""),
        second("socket-own-certificate", &tls, &own("")),
        second("socket-own-certificate-engine-inherited", &tls, OTHER_CERTIFICATE),
        second("socket-own-list", &tls, &own(&command("\"CipherString\" => \"ECDHE+AES128\""))),
        second("socket-own-list-global-off", &idle, &own(&command("\"MaxProtocol\" => \"TLSv1.2\""))),
        second("socket-own-list-added", &tls, &own("ssl.openssl.ssl-conf-cmd += (\"Groups\" => \"P-384\")")),
        second("socket-alone", "", &own("")),
        second(
            "socket-twice",
            &tls,
            &format!("ssl.engine = \"enable\"\n}}\n$SERVER[\"socket\"] == \"127.0.0.1:{{port2}}\" {{\n{OTHER_CERTIFICATE}"),
        ),
    ]
}

fn hosts() -> Vec<Case> {
    let named = |id: &str, body: &str| Case { looks: [GOOD, OTHER, ""].map(Look::name).to_vec(), ..site(id, body) };
    let asks = "ssl.verifyclient.activate = \"enable\"\nssl.verifyclient.ca-file = \"{pki}/ca.pem\"";
    let host = |condition: &str, inside: &str| format!("$HTTP[\"host\"] {condition} {{\n{inside}\n}}");
    vec![
        named("host", &host("== \"other.example.test\"", OTHER_CERTIFICATE)),
        named("host-expression", &host("=~ \"^other\\.example\\.test$\"", OTHER_CERTIFICATE)),
        named("host-suffix", &host("=$ \"other.example.test\"", OTHER_CERTIFICATE)),
        named("host-not", &host("!= \"good.example.test\"", OTHER_CERTIFICATE)),
        named("host-else", &format!("{} else {{\n{OTHER_CERTIFICATE}}}", host("== \"good.example.test\"", ""))),
        named(
            "host-else-host",
            &format!(
                "{}\nelse {}",
                host("== \"none.example.test\"", asks),
                host("== \"other.example.test\"", OTHER_CERTIFICATE)
            ),
        ),
        named("host-versions-ignored", &host("== \"other.example.test\"", &command("\"MinProtocol\" => \"TLSv1.3\""))),
        named("host-asks", &host("== \"other.example.test\"", asks)),
        named(
            "host-asks-no-more",
            &format!("{asks}\n{}", host("== \"other.example.test\"", "ssl.verifyclient.activate = \"disable\"")),
        ),
        named(
            "host-later-counts",
            &format!(
                "{}\n{}",
                host("=~ \"^(www\\.)?other\\.example\\.test$\"", OTHER_CERTIFICATE),
                host("== \"other.example.test\"", CERTIFICATE)
            ),
        ),
        named("host-in-upper-case", &host("== \"OTHER.example.test\"", OTHER_CERTIFICATE)),
    ]
}

/// Includes, variables, spelling.
fn files() -> Vec<Case> {
    let included = |id: &str, body: &str, files: &[(&str, &str)]| with_files(case(id, body, &[GOOD]), files);
    let tls = format!("ssl.engine = \"enable\"\n{CERTIFICATE}");
    let crlf = site("crlf", &command("\"MinProtocol\" => \"TLSv1.3\""));
    let files = crlf
        .files
        .iter()
        .map(|(name, bytes)| (name.clone(), String::from_utf8_lossy(bytes).replace('\n', "\r\n").into_bytes()));
    vec![
        included(
            "include",
            "include \"conf.d/*.conf\"\n",
            &[("conf.d/b.conf", &command("\"MinProtocol\" => \"TLSv1.3\"")), ("conf.d/a.conf", &tls)],
        ),
        included("include-nothing", &format!("{tls}include \"none/*.conf\"\n"), &[]),
        site("variables", &format!("low = \"TLSv1\" + \".3\"\n{}", command("\"MinProtocol\" => low"))),
        site(
            "added",
            &format!("{}\nssl.openssl.ssl-conf-cmd += (\"MaxProtocol\" => \"TLSv1.2\")", command("\"Groups\" => \"P-384\"")),
        ),
        site(
            "forced",
            &format!(
                "{}\nssl.openssl.ssl-conf-cmd := (\"MaxProtocol\" => \"TLSv1.2\")",
                command("\"MinProtocol\" => \"TLSv1.3\"")
            ),
        ),
        site("comment-and-lines", "ssl.openssl.ssl-conf-cmd = ( # a\n \"MinProtocol\" => # b\n \"TLSv1.3\",\n)"),
        Case { files: files.collect(), ..crlf },
    ]
}

/// The module for GnuTLS, where the package is there.
fn gnutls() -> Vec<Case> {
    [
        ("defaults", ""),
        ("minimum-by-no-name-of-its", "\"MinProtocol\" => \"TLSv1\""),
        ("minimum-1.0", "\"MinProtocol\" => \"TLSv1.0\""),
        ("minimum-1.3", "\"MinProtocol\" => \"TLSv1.3\""),
        ("maximum-1.2", "\"MaxProtocol\" => \"TLSv1.2\""),
        ("protocol", "\"Protocol\" => \"-ALL, TLSv1.2\""),
        ("groups", "\"Groups\" => \"P-521\""),
    ]
    .into_iter()
    .map(|(id, elements)| {
        let case = site(&format!("gnutls-{id}"), &command(elements));
        let files = case.files.iter().map(|(name, bytes)| {
            (name.clone(), String::from_utf8_lossy(bytes).replace("mod_openssl", "mod_gnutls").into_bytes())
        });
        Case { files: files.collect(), needs: &["/usr/lib/lighttpd/mod_gnutls.so"], ..case }
    })
    .collect()
}

fn refused() -> Vec<Case> {
    let refused = |case: Case| Case { refused: true, ..case };
    let socket = "$SERVER[\"socket\"] == \"127.0.0.1:{port2}\" { ssl.engine = \"enable\"\n";
    vec![
        refused(case("refused-no-certificate", "ssl.engine = \"enable\"", &[GOOD])),
        refused(site("refused-twice", "ssl.engine = \"enable\"")),
        refused(site(
            "refused-socket-without-certificate",
            &format!("{socket}{} }}", command("\"MinProtocol\" => \"TLSv1.2\"")),
        )),
        refused(case("refused-engine-alone", &format!("{socket} }}"), &[GOOD])),
        refused(site("refused-missing-include", "include \"none.conf\"")),
        refused(site("refused-include-of-itself", "include \"lighttpd.conf\"")),
        refused(site("refused-quote", "var.a = \"b")),
        refused(site("refused-unknown-variable", "var.a = b")),
        refused(site("refused-same-key-twice", &command("\"Groups\" => \"X25519\", \"Groups\" => \"P-256\""))),
        refused(site("refused-version", &command("\"MinProtocol\" => \"TLSv1.4\""))),
        refused(site("refused-command", &command("\"Nonsense\" => \"1\""))),
    ]
}
