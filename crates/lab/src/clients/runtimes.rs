//! Environments of Node.js and Go, one thing changed at a time; a real shell puts them into effect.

use super::cases::case;
use crate::configs::Case;

/// A program that a shell starts after it has read the file.
fn environment(name: &str, runtime: &'static str, line: &str, text: &str) -> Case {
    let script = format!(". ./.profile; exec {line}");
    let mut case = case("environment", "sh", name, ".profile", text, &["-c", &script]);
    case.user = Some(runtime);
    case
}

/// `NODE_OPTIONS` and what else Node.js looks at.
pub(super) fn node() -> Vec<Case> {
    let options = [
        ("nothing", ""),
        ("minimum-1.0", "--tls-min-v1.0"),
        ("minimum-1.1", "--tls-min-v1.1"),
        ("minimum-1.2", "--tls-min-v1.2"),
        ("minimum-1.3", "--tls-min-v1.3"),
        ("maximum-1.2", "--tls-max-v1.2"),
        ("maximum-1.3", "--tls-max-v1.3"),
        ("both-ends", "--tls-min-v1.1 --tls-max-v1.2"),
        ("two-maxima", "--tls-max-v1.2 --tls-max-v1.3"),
        ("two-minima", "--tls-min-v1.3 --tls-min-v1.0"),
        ("taken-back", "--tls-min-v1.3 --no-tls-min-v1.3"),
        ("taken-back-and-on", "--no-tls-min-v1.3 --tls-min-v1.3"),
        ("no-range", "--tls-min-v1.3 --tls-max-v1.2"),
        ("no-such-minimum", "--tls-min-v1.4"),
        ("no-such-maximum", "--tls-max-v1.1"),
        ("list", "--tls-cipher-list=ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"),
        ("list-after-a-blank", "--tls-cipher-list AES256-SHA --tls-max-v1.2"),
        ("list-underscores", "--tls_cipher_list=AES128-SHA"),
        ("list-of-both", "--tls-cipher-list=TLS_AES_128_GCM_SHA256:AES128-SHA"),
        ("list-of-1.3", "--tls-cipher-list=TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"),
        ("list-level-0", "--tls-cipher-list=DEFAULT@SECLEVEL=0 --tls-min-v1.0"),
        ("list-high", "--tls-cipher-list=HIGH:!aNULL:!kRSA"),
        ("list-twice", "--tls-cipher-list=AES128-SHA --tls-cipher-list=AES256-SHA"),
        ("list-nonsense", "--tls-cipher-list=NONSENSE"),
        ("list-in-quotes", "\"--tls-cipher-list=AES128-SHA:AES256-SHA\" --tls-max-v1.2"),
        ("others", "--max-old-space-size=200 --no-warnings --tls-min-v1.3"),
        ("openssl-authorities", "--use-openssl-ca --tls-max-v1.2"),
        ("own-configuration", "--openssl-config={dir}/own.cnf --tls-min-v1.1"),
    ];
    let files = [
        ("later", "export NODE_OPTIONS=--tls-min-v1.3\nexport NODE_OPTIONS='--tls-max-v1.2'\n"),
        ("two-on-a-line", "export LANG=C NODE_OPTIONS=--tls-max-v1.2; echo NODE_OPTIONS=--tls-min-v1.3\n"),
        ("comment", "# export NODE_OPTIONS=--tls-min-v1.3\nexport NODE_OPTIONS=--tls-max-v1.2 # --tls-min-v1.3\n"),
        ("escaped-blank", "export NODE_OPTIONS=--tls-min-v1.1\\ --tls-max-v1.2\n"),
        ("not-exported", "export NODE_TLS_REJECT_UNAUTHORIZED=1\nNODE_OPTIONS=--tls-min-v1.3\n"),
        ("exported-afterwards", "NODE_OPTIONS=--tls-min-v1.3\nexport LANG=C NODE_OPTIONS\nNODE_OPTIONS=--tls-max-v1.2\n"),
        ("verification-off", "export NODE_TLS_REJECT_UNAUTHORIZED=0\n"),
        ("condition", "export NODE_EXTRA_CA_CERTS={dir}/none\nif false; then\n\texport NODE_TLS_REJECT_UNAUTHORIZED=1\nfi\n"),
    ];
    let line = "node -e \"require('https').get('https://localhost:{port}/').on('error', error => console.log(error.message))\"";
    let by_options = options.map(|(name, options)| (name, format!("export NODE_OPTIONS='{options}'\n")));
    let all = by_options.into_iter().chain(files.map(|(name, text)| (name, text.to_owned())));
    let make = |(name, text): (&str, String)| {
        let mut case = environment(&format!("node-{name}"), "node", line, &text);
        case.needs = &["/usr/bin/node"];
        let own = b"nodejs_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nGroups = P-384\nMaxProtocol = TLSv1.2\n";
        case.files.push(("own.cnf".to_owned(), own.to_vec()));
        case
    };
    all.map(make).collect()
}

/// Programs that a case needs, and as which release of which product they are read.
type Needed = (&'static [&'static str], &'static [(&'static str, &'static str)]);
/// Pythons.
const PYTHONS: &[Needed] = &[
    (&["/usr/bin/python3"], &[("python", "3.11.2 Debian")]),
    (&["/usr/local/bin/tlswhy-lab-python-3.6"], &[("python", "3.6.15 upstream, OpenSSL 3.0.19")]),
    (&["/usr/local/bin/tlswhy-lab-python-3.9"], &[("python", "3.9.18 upstream, OpenSSL 3.0.19")]),
    (&["/usr/local/bin/tlswhy-lab-python-3.10"], &[("python", "3.10.13 upstream, OpenSSL 3.0.19")]),
    (&["/usr/local/bin/tlswhy-lab-python-3.13"], &[("python", "3.13.0 upstream, OpenSSL 3.0.19")]),
];

/// `OPENSSL_CONF`, with Pythons of several releases and builds.
pub(super) fn python() -> Vec<Case> {
    let commands = [
        ("nothing", ""),
        ("minimum", "MinProtocol = TLSv1.3"),
        ("maximum", "MaxProtocol = TLSv1.2"),
        ("maximum-old", "MaxProtocol = TLSv1.1"),
        ("list-level-0", "CipherString = ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA:@SECLEVEL=0"),
        // Without it TLS 1.1 stays in the hello, and leads nowhere: no suite is left whose exchange a server does not sign.
        ("level-3", "CipherString = DEFAULT@SECLEVEL=3\nMinProtocol = TLSv1.2"),
        ("suites", "Ciphersuites = TLS_AES_128_GCM_SHA256"),
        ("groups", "Groups = P-384:X25519"),
        ("schemes", "SignatureAlgorithms = rsa_pss_rsae_sha256:ECDSA+SHA256:RSA+SHA1"),
    ];
    let connect = "import socket, ssl; ssl.create_default_context().wrap_socket(\
                   socket.create_connection(('127.0.0.1', {port})), server_hostname='localhost')";
    let make = |(&(needs, assumed), (name, command)): (&Needed, &(&str, &str))| {
        let (program, release) = (needs.concat(), assumed.iter().map(|(_, release)| *release).collect::<String>());
        let release = release.split(',').next().unwrap_or_default().replace(' ', "-");
        let line = format!("{program} -c \"{connect}\"");
        let case = environment(&format!("python-{release}-{name}"), "python", &line, "export OPENSSL_CONF={dir}/own.cnf\n");
        let own = format!("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n{command}\n");
        let mut case = Case { needs, assumed, ..case };
        case.files.push(("own.cnf".to_owned(), own.into_bytes()));
        case
    };
    PYTHONS.iter().flat_map(|python| commands.iter().map(move |command| (python, command))).map(make).collect()
}

/// `GODEBUG`, with clients that two releases built.
pub(super) fn go() -> Vec<Case> {
    let old = go_of(&["/usr/local/bin/tlswhy-lab-go-1.24"], OF_1_24);
    let new = go_of(&["/usr/local/bin/tlswhy-lab-go-1.27"], OF_1_27);
    [old, new].concat()
}

fn go_of(needs: &'static [&'static str], assumed: &'static [(&'static str, &'static str)]) -> Vec<Case> {
    let values = [
        "tlsmlkem=0",
        "tlsmlkem=1",
        "tlsmlkem=1,tlsmlkem=0",
        "tlssecpmlkem=0",
        "tlsmlkem=0,tlssecpmlkem=0",
        "tlssha1=1",
        "tlsrsakex=0",
        "tlsrsakex=1",
        "tls3des=1",
        "tlsrsakex=1,tls3des=1",
        "tls10server=1",
        "tlskyber=0",
        "http2client=0,nonsense=1",
        "",
    ];
    let (program, release) = (needs.concat(), assumed.iter().map(|(_, release)| *release).collect::<String>());
    let make = |value: &str| {
        let name = format!("go-{release}-{}", if value.is_empty() { "nothing" } else { value });
        let line = format!("{program} localhost:{{port}}");
        let case = environment(&name, "go", &line, &format!("export GODEBUG={value}\n"));
        Case { needs, assumed, ..case }
    };
    values.into_iter().map(make).collect()
}

/// go.mod, with the clients that two releases built of it.
pub(super) fn go_module() -> Vec<Case> {
    let modules = [
        ("old", include_str!("go/old.mod"), "1.24", "/usr/local/bin/tlswhy-lab-go-1.24-old", OF_1_24),
        ("switches", include_str!("go/switches.mod"), "1.24", "/usr/local/bin/tlswhy-lab-go-1.24-switches", OF_1_24),
        ("old", include_str!("go/old.mod"), "1.27", "/usr/local/bin/tlswhy-lab-go-1.27-old", OF_1_27),
        ("switches", include_str!("go/switches.mod"), "1.27", "/usr/local/bin/tlswhy-lab-go-1.27-switches", OF_1_27),
    ];
    let make = |(name, text, release, program, assumed)| {
        let case = case("go-module", program, &format!("{name}-{release}"), "go.mod", text, &["localhost:{port}"]);
        Case { assumed, ..case }
    };
    modules.map(make).into()
}

const OF_1_24: &[(&str, &str)] = &[("go", "1.24.11")];
const OF_1_27: &[(&str, &str)] = &[("go", "1.27.3")];
