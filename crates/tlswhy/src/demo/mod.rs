//! Servers inside this program, each broken in one way, to show how it is diagnosed.
//!
//! To show a further cause: one [`Scene`] in [`SCENES`].

mod authority;
mod peer;
#[cfg(test)]
mod proof;
mod staple;
mod tls;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use rustls::{CipherSuite as RustlsSuite, NamedGroup as RustlsGroup};
use tlswhy_gather::OldServerPolicy;
use tlswhy_model::Party;
use tlswhy_wire::{AlertDescription, CipherSuite, ClientHello, HelloSpec, NamedGroup, ProtocolVersion, SignatureScheme};

pub(crate) use authority::Authority;
use authority::{Credentials, KeyKind, SOUND, Sent, Signer};
pub(crate) use peer::Peer;
use tls::{Gate, HEALTHY, ONLY_TLS12, ONLY_TLS13, Tls};

/// One client before one server.
pub(crate) struct Scene {
    /// The cause that must be found; `None` where nothing is broken.
    pub(crate) cause: Option<&'static str>,
    /// What is broken, in one sentence.
    pub(crate) title: &'static str,
    /// The judged client, a bundled profile, so that the result does not depend on the machine.
    pub(crate) client: &'static str,
    /// The name that is asked for.
    pub(crate) host: &'static str,
    /// How long connections and answers are waited for, where less than usual.
    pub(crate) timeout: Option<Duration>,
    /// Where the client showed its version, so that it is this very client and not a kind of client.
    pub(crate) version_seen: Option<&'static str>,
    /// What the client's configuration makes of its hello.
    pub(crate) restricted: fn(HelloSpec) -> HelloSpec,
    /// The configurations that are read: whose, where, what; `{port}` is replaced.
    pub(crate) configurations: &'static [(Party, &'static str, &'static str)],
    /// Versions of the software that reads them.
    pub(crate) software: &'static [(&'static str, &'static str)],
    /// Starts the server. The error says why this machine cannot show it.
    pub(crate) serve: fn(&Authority) -> Serving<'_>,
}

/// A server that is being started.
pub(crate) type Serving<'a> = Pin<Box<dyn Future<Output = io::Result<Peer>> + 'a>>;

impl Scene {
    /// What the user calls it.
    pub(crate) fn code(&self) -> &'static str {
        self.cause.unwrap_or("healthy")
    }
}

const OPENSSL: &str = "openssl-3.0";
const OPENSSL_1_0_2: &str = "openssl-1.0.2";
const CHROME: &str = "chrome-156";
const CURL: &str = "curl-openssl-3.0";
const GO: &str = "go-1.27";
const JAVA_8: &str = "java-8u161";
const MBEDTLS: &str = "mbedtls-3.6";
const WGET: &str = "wget-1.21";
const ANDROID_4: &str = "android-4.4";

/// Reserved to exist nowhere (RFC 6761 §6.4).
const NO_NAME: &str = "www.example.invalid";
/// As long as a resolver that does not answer may hold things up.
const RESOLVER: Duration = Duration::from_millis(500);

const SCENE: Scene = Scene {
    cause: None,
    title: "",
    client: OPENSSL,
    host: "www.example.test",
    timeout: None,
    version_seen: None,
    restricted: |hello| hello,
    configurations: &[],
    software: &[],
    serve: |authority| current(HEALTHY, authority),
};

/// The healthy server, then every cause by its code.
pub(crate) static SCENES: &[Scene] = &[
    Scene { title: "A healthy server: TLS 1.2 and 1.3, current suites and groups.", ..SCENE },
    Scene {
        cause: Some("alpn-mismatch"),
        title: "A message broker speaks MQTT alone, and Chrome asks it for HTTP.",
        client: CHROME,
        serve: |authority| {
            let gate = |hello: &ClientHello| {
                let offered = hello.to_spec(*hello.legacy_version).alpn().to_vec();
                let shared = offered.is_empty() || offered.iter().any(|name| name == "mqtt");
                if shared { Gate::Open } else { Gate::Alert(AlertDescription::NO_APPLICATION_PROTOCOL) }
            };
            current(Tls { gate, alpn: &["mqtt"], ..HEALTHY }, authority)
        },
        ..SCENE
    },
    Scene {
        cause: Some("certificate-expired"),
        title: "The certificate ended three days ago: nobody noticed that its renewal fails.",
        serve: |authority| given(Credentials { days: (-93, -3), ..SOUND }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("certificate-key-mismatch"),
        title: "The certificate was renewed with a new key, and the server still has the old one.",
        serve: |authority| given(Credentials { foreign_key: true, ..SOUND }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("certificate-not-yet-valid"),
        title: "The certificate was ordered in advance and begins in two days.",
        serve: |authority| given(Credentials { days: (2, 92), ..SOUND }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("certificate-revoked"),
        title: "The key got out and the certificate was revoked; the server staples the response that says so, and wget looks at it.",
        client: WGET,
        serve: |authority| given(Credentials { revoked: true, ..SOUND }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("certificate-unsuitable"),
        title: "The certificate was issued for a client's use, and a server shows it.",
        serve: |authority| given(Credentials { for_clients: true, ..SOUND }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("chain-incomplete"),
        title: "The server sends its own certificate alone, without the intermediate.",
        serve: |authority| given(Credentials { sent: Sent::Leaf, ..SOUND }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("chain-misordered"),
        title: "The server sends its intermediates from the top down, and Mbed TLS looks only behind a certificate for its issuer.",
        client: MBEDTLS,
        serve: |authority| given(Credentials { signer: Signer::Lower, sent: Sent::Reversed, ..SOUND }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("cipher-certificate-mismatch"),
        title: "The certificate was renewed with an ECDSA key, the TLS 1.2 suites still ask for RSA, and Java 8 has no TLS 1.3.",
        client: JAVA_8,
        serve: |authority| {
            let suite = |suite: &rustls::SupportedCipherSuite| {
                suite.tls13().is_some() || suite.suite() == RustlsSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
            };
            current(Tls { suite, gate: from_tls12, ..HEALTHY }, authority)
        },
        ..SCENE
    },
    Scene {
        cause: Some("client-certificate-required"),
        title: "The server lets in only clients that show a certificate.",
        serve: |authority| current(Tls { client_certificate: true, ..HEALTHY }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("client-policy-restricts"),
        title: "A hardening guide left one group in this machine's openssl.cnf, and the server has others.",
        restricted: |hello| hello.with_groups(&[NamedGroup::SECP521R1], &[NamedGroup::SECP521R1]),
        configurations: &[(
            Party::Client,
            "/etc/ssl/openssl.cnf",
            "openssl_conf = openssl_init

[openssl_init]
ssl_conf = ssl_sect

[ssl_sect]
system_default = system_default_sect

[system_default_sect]
# as the guide says
Groups = P-521
",
        )],
        software: &[("openssl", "3.0.19")],
        ..SCENE
    },
    Scene {
        cause: Some("client-software-outdated"),
        title: "A tool brings its own OpenSSL 1.0.2, and the server begins at TLS 1.3.",
        client: OPENSSL_1_0_2,
        version_seen: Some("/opt/tool/lib/libssl.so.1.0.2"),
        serve: |authority| current(Tls { versions: ONLY_TLS13, ..HEALTHY }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("client-version-outdated"),
        title: "Android 4.4 has TLS 1.0, the server begins at 1.2.",
        client: ANDROID_4,
        ..SCENE
    },
    Scene {
        cause: Some("config-shadowed"),
        title: "Somebody switched TLS 1.2 and 1.3 on for www.example.test, and nginx goes by the default server.",
        client: CHROME,
        configurations: &[(
            Party::Server,
            "/etc/nginx/nginx.conf",
            "http {
    server {
        listen {port} ssl default_server;
        server_name old.example.test;
        ssl_protocols TLSv1;
    }
    server {
        listen {port} ssl;
        server_name www.example.test;
        ssl_protocols TLSv1.2 TLSv1.3;
    }
}
",
        )],
        software: &[("nginx", "1.22.1"), ("openssl", "3.0.19")],
        serve: |authority| old(ProtocolVersion::TLSV1_0, CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA, true, authority),
        ..SCENE
    },
    Scene {
        cause: Some("connect-timeout"),
        title: "The port's queue is full, so that the kernel drops every further connection.",
        timeout: Some(Duration::from_millis(200)),
        serve: |_| Box::pin(Peer::overrun()),
        ..SCENE
    },
    Scene {
        cause: Some("dns-failure"),
        title: "The name does not exist.",
        host: NO_NAME,
        timeout: Some(RESOLVER),
        serve: |_| Box::pin(Peer::nowhere(NO_NAME, RESOLVER)),
        ..SCENE
    },
    Scene {
        cause: Some("hostname-mismatch"),
        title: "The certificate covers example.test, and www.example.test was forgotten.",
        serve: |authority| given(Credentials { names: &["example.test"], ..SOUND }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("legacy-renegotiation"),
        title: "A server from before 2010 does not know secure renegotiation (RFC 5746), on which OpenSSL 3 insists.",
        serve: |authority| old(ProtocolVersion::TLSV1_2, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, false, authority),
        ..SCENE
    },
    Scene {
        cause: Some("no-shared-cipher"),
        title: "An appliance has RSA key exchange alone, which Go no longer offers.",
        client: GO,
        serve: |authority| old(ProtocolVersion::TLSV1_2, CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA, true, authority),
        ..SCENE
    },
    Scene {
        cause: Some("no-shared-group"),
        title: "The server insists on post-quantum key exchange, and OpenSSL 3.0 has none.",
        serve: |authority| {
            let group = |group: &&dyn rustls::crypto::SupportedKxGroup| group.name() == RustlsGroup::X25519MLKEM768;
            current(Tls { group, versions: ONLY_TLS13, ..HEALTHY }, authority)
        },
        ..SCENE
    },
    Scene {
        cause: Some("no-shared-signature-algorithm"),
        title: "The server's only key is an Ed25519 one, and Chrome takes no such signature.",
        client: CHROME,
        serve: |authority| {
            let gate = |hello: &ClientHello| {
                let offered = hello.to_spec(*hello.legacy_version).signature_schemes().unwrap_or_default();
                let shared = offered.contains(&SignatureScheme::ED25519);
                if shared { Gate::Open } else { Gate::Alert(AlertDescription::HANDSHAKE_FAILURE) }
            };
            current(
                Tls { gate, credentials: Credentials { key: KeyKind::Ed25519, ..SOUND }, versions: ONLY_TLS13, ..HEALTHY },
                authority,
            )
        },
        ..SCENE
    },
    Scene {
        cause: Some("not-tls"),
        title: "A web server without TLS listens on the port.",
        serve: |_| ready(Peer::answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
        ..SCENE
    },
    Scene { cause: Some("port-closed"), title: "Nothing listens on the port.", serve: |_| ready(Peer::closed()), ..SCENE },
    Scene {
        cause: Some("server-size-intolerant"),
        title: "The server hangs up on every hello of 256 to 511 bytes, as an old load balancer does.",
        serve: |authority| {
            let gate = |hello: &ClientHello| {
                if (256..512).contains(&hello.raw.len()) { Gate::Closed } else { Gate::Open }
            };
            current(Tls { gate, ..HEALTHY }, authority)
        },
        ..SCENE
    },
    Scene {
        cause: Some("server-software-outdated"),
        title: "TLS 1.3 is what the client insists on; the server's nginx is told to speak it, and its OpenSSL is older than that.",
        restricted: |hello| hello.with_versions(&[ProtocolVersion::TLSV1_3]),
        configurations: &[(
            Party::Server,
            "/etc/nginx/nginx.conf",
            "http {
    server {
        listen {port} ssl;
        server_name www.example.test;
        ssl_protocols TLSv1.2 TLSv1.3;
    }
}
",
        )],
        software: &[("nginx", "1.14.2"), ("openssl", "1.1.0l")],
        serve: |authority| current(Tls { versions: ONLY_TLS12, ..HEALTHY }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("server-version-intolerant"),
        title: "The server knows TLS 1.2, and hangs up on whoever mentions 1.3 instead of choosing 1.2.",
        serve: |authority| {
            let gate = |hello: &ClientHello| {
                let versions = hello.to_spec(*hello.legacy_version).offered_versions();
                if versions.contains(&ProtocolVersion::TLSV1_3) { Gate::Closed } else { Gate::Open }
            };
            current(Tls { gate, versions: ONLY_TLS12, ..HEALTHY }, authority)
        },
        ..SCENE
    },
    Scene {
        cause: Some("server-version-outdated"),
        title: "An appliance's TLS ends at 1.0, and Chrome begins at 1.2.",
        client: CHROME,
        serve: |authority| old(ProtocolVersion::TLSV1_0, CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA, true, authority),
        ..SCENE
    },
    Scene {
        cause: Some("sni-unrecognized"),
        title: "The server was set up for mail.example.test and refuses to be called www.example.test.",
        serve: |authority| {
            let gate = |hello: &ClientHello| match hello.to_spec(*hello.legacy_version).server_name() {
                None | Some("mail.example.test") => Gate::Open,
                Some(_) => Gate::Alert(AlertDescription::UNRECOGNIZED_NAME),
            };
            current(Tls { gate, ..HEALTHY }, authority)
        },
        ..SCENE
    },
    Scene {
        cause: Some("starttls-required"),
        title: "A mail server speaks SMTP and starts TLS only when asked.",
        host: "mail.example.test",
        serve: |authority| current(Tls { smtp: true, ..HEALTHY }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("untrusted-root"),
        title: "An appliance signed its certificate itself.",
        serve: |authority| given(Credentials { signer: Signer::Itself, ..SOUND }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("version-ranges-disjoint"),
        title: "The server was narrowed to TLS 1.3, and Java 8 ends at 1.2.",
        client: JAVA_8,
        serve: |authority| current(Tls { versions: ONLY_TLS13, ..HEALTHY }, authority),
        ..SCENE
    },
    Scene {
        cause: Some("weak-dh-params"),
        title: "The server's Diffie-Hellman group has 1024 bits, and curl on Debian wants 2048.",
        client: CURL,
        serve: |authority| old(ProtocolVersion::TLSV1_2, CipherSuite::TLS_DHE_RSA_WITH_AES_128_CBC_SHA, true, authority),
        ..SCENE
    },
    Scene {
        cause: Some("weak-key-or-digest"),
        title: "An appliance's certificate has an RSA key of 1024 bits, and curl on Debian wants 2048.",
        client: CURL,
        serve: |authority| {
            let suite = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
            let credentials = Credentials { key: KeyKind::Rsa1024, ..SOUND };
            ready(appliance(ProtocolVersion::TLSV1_2, suite, true, credentials, authority))
        },
        ..SCENE
    },
];

fn current(tls: Tls, authority: &Authority) -> Serving<'_> {
    ready(tls::serve(tls, authority))
}

/// A server of today that was given these.
fn given(credentials: Credentials, authority: &Authority) -> Serving<'_> {
    current(Tls { credentials, ..HEALTHY }, authority)
}

fn old(version: ProtocolVersion, suite: CipherSuite, secure_renegotiation: bool, authority: &Authority) -> Serving<'_> {
    let credentials = Credentials { key: KeyKind::Rsa, ..SOUND };
    ready(appliance(version, suite, secure_renegotiation, credentials, authority))
}

fn appliance(
    version: ProtocolVersion,
    suite: CipherSuite,
    secure_renegotiation: bool,
    credentials: Credentials,
    authority: &Authority,
) -> io::Result<Peer> {
    let identity = authority.identity(&credentials)?;
    Peer::old(OldServerPolicy {
        version,
        cipher_suites: vec![suite],
        dh_prime: OAKLEY_GROUP_2.to_vec(),
        secure_renegotiation,
        certificates: identity.chain,
        key: identity.key,
    })
}

/// As other libraries say it: rustls calls a hello of TLS 1.1 and below a handshake failure.
fn from_tls12(hello: &ClientHello) -> Gate {
    if *hello.legacy_version < ProtocolVersion::TLSV1_2 { Gate::Alert(AlertDescription::PROTOCOL_VERSION) } else { Gate::Open }
}

/// What needs no waiting.
fn ready<'a>(peer: io::Result<Peer>) -> Serving<'a> {
    Box::pin(std::future::ready(peer))
}

/// The prime of 1024 bits of RFC 2409 §6.2, which countless servers have shared.
const OAKLEY_GROUP_2: [u8; 128] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc9, 0x0f, 0xda, 0xa2, 0x21, 0x68, 0xc2, 0x34, 0xc4, 0xc6, 0x62, 0x8b,
    0x80, 0xdc, 0x1c, 0xd1, 0x29, 0x02, 0x4e, 0x08, 0x8a, 0x67, 0xcc, 0x74, 0x02, 0x0b, 0xbe, 0xa6, 0x3b, 0x13, 0x9b, 0x22,
    0x51, 0x4a, 0x08, 0x79, 0x8e, 0x34, 0x04, 0xdd, 0xef, 0x95, 0x19, 0xb3, 0xcd, 0x3a, 0x43, 0x1b, 0x30, 0x2b, 0x0a, 0x6d,
    0xf2, 0x5f, 0x14, 0x37, 0x4f, 0xe1, 0x35, 0x6d, 0x6d, 0x51, 0xc2, 0x45, 0xe4, 0x85, 0xb5, 0x76, 0x62, 0x5e, 0x7e, 0xc6,
    0xf4, 0x4c, 0x42, 0xe9, 0xa6, 0x37, 0xed, 0x6b, 0x0b, 0xff, 0x5c, 0xb6, 0xf4, 0x06, 0xb7, 0xed, 0xee, 0x38, 0x6b, 0xfb,
    0x5a, 0x89, 0x9f, 0xa5, 0xae, 0x9f, 0x24, 0x11, 0x7c, 0x4b, 0x1f, 0xe6, 0x49, 0x28, 0x66, 0x51, 0xec, 0xe6, 0x53, 0x81,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
];

#[cfg(test)]
mod tests {
    use tlswhy_core::CAUSES;

    use super::*;

    /// What needs routers between client and server, which a program does not have inside.
    fn is_beyond(cause: &str) -> bool {
        cause.starts_with("path-")
    }

    #[test]
    fn every_cause_has_a_scene_and_they_stand_in_order() {
        let mut shown: Vec<&str> = SCENES.iter().filter_map(|scene| scene.cause).collect();
        assert!(shown.is_sorted());
        shown.dedup();
        assert_eq!(shown, CAUSES.iter().map(|cause| cause.code).filter(|code| !is_beyond(code)).collect::<Vec<_>>());
        assert!(SCENES.iter().any(|scene| scene.cause.is_none()));
    }

    #[test]
    fn every_scene_says_what_is_broken_and_has_a_client_that_is_known() {
        for scene in SCENES {
            assert!(scene.title.ends_with('.'), "{}", scene.code());
            assert!(tlswhy_core::client(scene.client).is_some(), "{}", scene.code());
        }
    }
}
