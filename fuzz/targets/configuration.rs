//! A configuration of any dialect: reading never panics, every place lies within the file, and edits of what was read apply
//! and are read again.
//! The first byte chooses the dialect, the next two whether versions of software are known.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tlswhy_config::language::openssl_ciphers::{Library, cipher_list};
use tlswhy_config::{CipherList, Context, DIALECTS, Files, Language, Release, Want, effective, patched};
use tlswhy_model::{FileContent, InstalledSoftware, SeenFile};
use tlswhy_wire::ProtocolVersion;

fuzz_target!(|bytes: &[u8]| {
    let [which, known, release, text @ ..] = bytes else { return };
    let dialect = DIALECTS[usize::from(*which) % DIALECTS.len()];
    let main = "/etc/main.conf";
    let content = FileContent::Bytes { bytes: text.to_vec().into(), sha256: String::new(), public_keys: Vec::new() };
    let seen = [SeenFile { path: main.to_owned(), real_path: None, content }];
    let software: Vec<InstalledSoftware> = if known % 2 == 0 {
        Vec::new()
    } else {
        let version = Some(format!("{}.{}.0", release % 20, release / 8));
        [
            "apache",
            "caddy",
            "curl",
            "dovecot",
            "git",
            "gnutls",
            "go",
            "haproxy",
            "java",
            "libpq",
            "lighttpd",
            "mariadb",
            "nginx",
            "node",
            "openssl",
            "postfix",
            "postgresql",
            "python",
            "stunnel",
            "system",
            "tomcat",
            "wget",
        ]
        .map(|product| InstalledSoftware {
            product: product.to_owned(),
            version: version.clone(),
            source: String::new(),
            ..InstalledSoftware::default()
        })
        .to_vec()
    };
    let files = Files::new(&seen, &software);
    let context = Context { files: &files, main };
    let _ = (dialect.recognise)(main, text);
    let reading = dialect.reading(&context);
    for service in reading.services.iter().take(8) {
        for shown in service.settings.shown() {
            if let Some(span) = shown.origin.span().filter(|span| &*span.path == main) {
                assert!(span.start <= span.end && span.end <= text.len());
            }
        }
        let _ = effective(service, &files);
        if let Some(CipherList { language: Language::OpenSsl, text }) =
            service.settings.cipher_list.as_ref().map(|set| &set.value)
        {
            let _ = cipher_list(text, &Library::upstream(Release::new(3, 0, 0)));
        }
        let want = Want::Versions(vec![ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3]);
        if let Ok(patches) = (dialect.mend)(&context, service, &want) {
            let new = patched(text, patches.iter().filter(|patch| patch.path == main));
            let content = FileContent::Bytes {
                bytes: new.expect("edits apply to what was read").into(),
                sha256: String::new(),
                public_keys: Vec::new(),
            };
            let instead = [SeenFile { path: main.to_owned(), real_path: None, content }];
            let after = files.with(&instead);
            let _ = dialect.reading(&Context { files: &after, main });
        }
    }
});
