//! What a library takes away from what a configuration allows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

use tlswhy_config::{Context, Effective, Files, Heeds, Origin, Service, dialect, effective, heeds, system_policy};
use tlswhy_model::{FileContent, InstalledSoftware, SeenFile};
use tlswhy_wire::{NamedGroup, ProtocolVersion};

const NGINX: &str = "/etc/nginx/nginx.conf";
const CNF: &str = "/etc/ssl/openssl.cnf";
const CHAIN: &str = "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n";

/// The first service of an nginx with these lines, changed, under this openssl.cnf.
fn of_nginx(lines: &str, cnf: &str, software: &[(&str, &str)], change: impl FnOnce(&mut Service)) -> Effective {
    let seen = [
        file(NGINX, format!("http {{ server {{ listen 443 ssl; {lines} }} }}")),
        file(CNF, cnf.to_owned()),
        SeenFile { path: "/etc/pki/tls/openssl.cnf".to_owned(), real_path: None, content: FileContent::Missing },
    ];
    let software: Vec<InstalledSoftware> = software
        .iter()
        .map(|(product, version)| InstalledSoftware {
            product: (*product).to_owned(),
            version: (!version.is_empty()).then(|| (*version).to_owned()),
            source: "the test".to_owned(),
            ..InstalledSoftware::default()
        })
        .collect();
    let files = Files::new(&seen, &software);
    let reading = dialect("nginx").unwrap().reading(&Context { files: &files, main: NGINX });
    let mut service = reading.services[0].clone();
    change(&mut service);
    effective(&service, &files)
}

fn file(path: &str, text: String) -> SeenFile {
    let content = FileContent::Bytes { bytes: text.into_bytes().into(), sha256: String::new(), public_keys: Vec::new() };
    SeenFile { path: path.to_owned(), real_path: None, content }
}

fn software<'s>(openssl: &'s str, system: &'s str) -> [(&'s str, &'s str); 3] {
    [("nginx", "1.22.1"), ("openssl", openssl), ("system", system)]
}

fn names(effective: &Effective) -> Vec<String> {
    effective.versions.iter().flatten().map(ToString::to_string).collect()
}

#[test]
fn a_level_forbids_old_versions_at_a_server_and_says_so() {
    let lines = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2;";
    let of = |openssl, system, lines: &str| {
        of_nginx(lines, "", &software(openssl, system), |service| service.heeds = Heeds::NOTHING)
    };
    // Signed or not, OpenSSL 3.0 as a server ends every handshake of TLS 1.0 and 1.1 from level 1 on.
    let effective = of("3.0.19", "debian 12", lines);
    assert_eq!((names(&effective), effective.security_level), (vec!["TLSv1.2".to_owned()], Some(2)));
    let whats: Vec<&str> = effective.reductions.iter().map(|reduction| reduction.what.as_str()).collect();
    assert!(whats.contains(&"TLSv1.0") && whats.contains(&"TLSv1.1"), "{whats:?}");
    assert_eq!(names(&of("1.1.1w", "debian 11", lines)), ["TLSv1.2", "TLSv1.1", "TLSv1.0"]);
    assert_eq!(names(&of("3.5.1", "debian 13", lines)), ["TLSv1.2"]);
    let at_0 = of("3.5.1", "debian 13", "ssl_protocols TLSv1 TLSv1.2; ssl_ciphers DEFAULT@SECLEVEL=0;");
    assert_eq!((names(&at_0), at_0.security_level), (vec!["TLSv1.2".to_owned(), "TLSv1.0".to_owned()], Some(0)));
}

#[test]
fn a_list_of_aead_suites_leaves_no_older_version() {
    let lines = "ssl_protocols TLSv1 TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0;";
    let effective = of_nginx(lines, "", &software("3.5.1", ""), |service| service.heeds = Heeds::NOTHING);
    assert_eq!(names(&effective), ["TLSv1.2"]);
    let reduction = effective.reductions.iter().find(|reduction| reduction.what == "TLSv1.0").unwrap();
    assert_eq!(reduction.why, "no suite that is on can be used in it");
    assert_eq!(reduction.by.span().unwrap().path.as_ref(), NGINX);
}

#[test]
fn without_parameters_nginx_has_no_dhe() {
    let lines = "ssl_ciphers DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256;";
    let count = |lines: &str| {
        let effective = of_nginx(lines, "", &software("3.0.19", "debian 12"), |service| service.heeds = Heeds::NOTHING);
        effective.cipher_suites.unwrap().len()
    };
    assert_eq!(count(lines), 1);
    assert_eq!(count(&format!("{lines} ssl_dhparam /etc/dh.pem;")), 2);
}

#[test]
fn what_a_program_heeds_of_openssl_cnf_counts_and_the_rest_does_not() {
    let cnf = format!("{CHAIN}MinProtocol = TLSv1.3\nCipherString = DEFAULT@SECLEVEL=1\nGroups = P-384\n");
    let lines = "ssl_protocols TLSv1.2 TLSv1.3;";
    let of = |heeds| of_nginx(lines, &cnf, &software("3.0.19", "debian 12"), |service| service.heeds = heeds);
    let all = of(Heeds::ALL);
    assert_eq!(names(&all), ["TLSv1.3"]);
    assert_eq!(all.groups, Some(vec![NamedGroup::SECP384R1]));
    let reduction = all.reductions.iter().find(|reduction| reduction.what == "TLSv1.2").unwrap();
    assert!(matches!(&reduction.by, Origin::File { at, .. } if at.path.as_ref() == CNF), "{reduction:?}");
    let level_alone = of(Heeds { security_level: true, ..Heeds::NOTHING });
    assert_eq!((names(&level_alone).len(), level_alone.security_level), (2, Some(1)));
    assert_eq!(of(Heeds::NOTHING).security_level, Some(2));
}

#[test]
fn nothing_is_said_of_what_is_not_known() {
    let effective = of_nginx("ssl_protocols TLSv1 TLSv1.2;", "", &software("", ""), |service| service.heeds = Heeds::NOTHING);
    assert_eq!(names(&effective), ["TLSv1.2", "TLSv1.0"]);
    assert_eq!((effective.security_level, effective.groups, effective.signature_schemes), (None, None, None));
}

#[test]
fn a_policy_is_that_of_the_environment_where_it_names_one() {
    let seen = [file(CNF, format!("{CHAIN}MinProtocol = TLSv1.2\n")), file("/own.cnf", format!("nodejs_conf = a\n{CHAIN}"))];
    let software = [("openssl", "3.0.19"), ("system", "debian 12")].map(|(product, version)| InstalledSoftware {
        product: product.to_owned(),
        version: Some(version.to_owned()),
        source: "the test".to_owned(),
        ..InstalledSoftware::default()
    });
    let release = "3.0.19".parse().ok();
    let side = tlswhy_config::Side::Client;
    let files = Files::new(&seen, &software);
    let policy = system_policy(&files, None, None, release, side).unwrap();
    assert_eq!(policy.settings.minimum_version.as_ref().unwrap().value, ProtocolVersion::TLSV1_2);
    // Node.js begins by its own key, and nowhere without it.
    assert_eq!(system_policy(&files, None, heeds("node", None).unwrap().section, release, side), None);
    for (value, there) in [("/own.cnf", false), ("", false)] {
        let environment = [("OPENSSL_CONF".to_owned(), value.to_owned())];
        let files = Files::new(&seen, &software).in_environment(&environment);
        let policy = system_policy(&files, None, None, release, side);
        assert_eq!(policy.is_some_and(|policy| policy.settings.minimum_version.is_some()), there, "{value}");
    }
}

#[test]
fn the_profile_of_red_hats_openssl_stands_for_what_crypto_policies_wrote() {
    let seen = [
        file(NGINX, "http { server { listen 443 ssl; ssl_ciphers PROFILE=SYSTEM:!kRSA; } }".to_owned()),
        file("/etc/crypto-policies/back-ends/openssl.config", "@SECLEVEL=2:kEECDH:kRSA:-AES256\nnot this\n".to_owned()),
        SeenFile { path: "/etc/pki/tls/openssl.cnf".to_owned(), real_path: None, content: FileContent::Missing },
    ];
    let suites = |system: &str, own: bool| {
        let software = [("nginx", "1.14.1"), ("openssl", "1.1.1"), ("system", system)];
        let software: Vec<InstalledSoftware> = software
            .map(|(product, version)| InstalledSoftware {
                product: product.to_owned(),
                version: Some(version.to_owned()),
                source: "the test".to_owned(),
                ..InstalledSoftware::default()
            })
            .into();
        let files = Files::new(&seen, &software);
        let reading = dialect("nginx").unwrap().reading(&Context { files: &files, main: NGINX });
        let mut service = reading.services[0].clone();
        if !own {
            service.settings.cipher_list = None;
        }
        let effective = effective(&service, &files);
        let names = effective.cipher_suites.unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>();
        (names, effective.security_level)
    };
    let (of_profile, level) = suites("almalinux 8.10", true);
    assert!(of_profile.iter().all(|name| name.starts_with("TLS_ECDHE_")) && !of_profile.is_empty(), "{of_profile:?}");
    assert!(!of_profile.iter().any(|name| name.contains("AES_256")));
    assert_eq!(level, Some(2));
    // Where no list is set it counts as well; elsewhere the word means nothing.
    assert!(suites("almalinux 8.10", false).0.iter().any(|name| name.starts_with("TLS_RSA_")));
    assert_eq!(suites("debian 11", true), (Vec::new(), Some(1)));
}
