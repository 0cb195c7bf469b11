//! Example trees of every dialect: what they mean, and that every edit reads back as what was wanted.
//!
//! `tests/dialects/<dialect>/<case>/` holds `case.txt` (first line: the main file; then lines `software PRODUCT VERSION`), `root/`
//! (the files by their absolute paths) and `expected.txt`, written anew by `BLESS=1 cargo test -p tlswhy-config`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tlswhy_config::{
    CannotMend, Context, Dialect, Files, Origin, Patch, Position, Reading, Service, Side, Via, Want, dialect, normal, patched,
};
use tlswhy_model::{FileContent, InstalledSoftware, SeenFile};
use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion};

struct Case {
    dialect: &'static Dialect,
    main: String,
    software: Vec<InstalledSoftware>,
    root: PathBuf,
    changed: Vec<(String, Vec<u8>)>,
}

impl Case {
    fn load(directory: &Path) -> Case {
        let name = directory.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(directory.join("case.txt")).unwrap();
        let mut lines = text.lines();
        let main = lines.next().unwrap().to_owned();
        let software = lines.filter_map(|line| {
            let (product, version) = line.strip_prefix("software ")?.split_once(' ')?;
            let version = (version != "none").then(|| version.to_owned());
            Some(InstalledSoftware {
                product: product.to_owned(),
                version,
                source: "the test".to_owned(),
                ..InstalledSoftware::default()
            })
        });
        Case {
            dialect: dialect(name).unwrap_or_else(|| panic!("no dialect {name}")),
            main,
            software: software.collect(),
            root: directory.join("root"),
            changed: Vec::new(),
        }
    }

    fn look(&self, path: &str) -> SeenFile {
        let content = match self.changed.iter().find(|(changed, _)| changed == path) {
            Some((_, bytes)) => bytes_of(bytes.clone()),
            None => {
                let real = self.root.join(path.trim_start_matches('/'));
                match fs::metadata(&real) {
                    Ok(metadata) if metadata.is_dir() => {
                        let names = fs::read_dir(&real).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
                        let mut entries: Vec<String> = names.collect();
                        entries.sort();
                        FileContent::Directory { entries }
                    }
                    Ok(_) => bytes_of(fs::read(&real).unwrap()),
                    Err(_) => FileContent::Missing,
                }
            }
        };
        SeenFile { path: path.to_owned(), real_path: None, content }
    }

    /// Reads as often as something new is wanted.
    fn with<T>(&self, use_it: impl FnOnce(&Context<'_>, &Reading) -> T) -> T {
        let mut seen: Vec<SeenFile> = Vec::new();
        let mut software = self.software.clone();
        for _ in 0..100 {
            let files = Files::new(&seen, &software);
            let context = Context { files: &files, main: &self.main };
            let reading = self.dialect.reading(&context);
            let (wanted, products) = (files.wanted(), files.wanted_software());
            if wanted.is_empty() && products.is_empty() {
                return use_it(&context, &reading);
            }
            drop(files);
            seen.extend(wanted.iter().map(|path| self.look(path)));
            software.extend(products.into_iter().map(|product| InstalledSoftware {
                product,
                version: None,
                source: "the test".to_owned(),
                ..InstalledSoftware::default()
            }));
        }
        panic!("the reading of {} never ends", self.main);
    }

    fn bytes(&self, path: &str) -> Vec<u8> {
        match self.look(path).content {
            FileContent::Bytes { bytes, .. } => bytes.0,
            // What an edit makes.
            FileContent::Missing => Vec::new(),
            other => panic!("{path}: {other:?}"),
        }
    }
}

fn bytes_of(bytes: Vec<u8>) -> FileContent {
    FileContent::Bytes { bytes: bytes.into(), sha256: String::new(), public_keys: Vec::new() }
}

fn place(case: &Case, origin: &Origin) -> String {
    match origin {
        Origin::File { at, via, .. } => {
            let bytes = case.bytes(&at.path);
            assert!(at.start <= at.end && at.end <= bytes.len(), "{at:?} lies outside");
            let mut text = format!("{}:{}", at.path, Position::of(&bytes, at.start));
            for via in std::iter::successors(via.as_ref(), |via: &&std::sync::Arc<Via>| via.via.as_ref()) {
                write!(text, " via {}:{}", via.at.path, Position::of(&case.bytes(&via.at.path), via.at.start)).unwrap();
            }
            text
        }
        Origin::BuiltIn { by } => format!("built in ({by})"),
        Origin::Environment { name } => format!("environment {name}"),
    }
}

fn describe(case: &Case, reading: &Reading) -> String {
    let mut text = String::new();
    for service in &reading.services {
        writeln!(text, "{:?} {} [{}] {}", service.side, service.title, service.names.join(" "), service.program.0).unwrap();
        for listener in &service.listeners {
            let address = listener.address.map_or("*".to_owned(), |address| address.to_string());
            writeln!(text, "  on {address} {}{}", listener.port, if listener.is_default { " default" } else { "" }).unwrap();
        }
        if let Some(upgrade) = service.upgrade {
            writeln!(text, "  upgrade {upgrade}").unwrap();
        }
        writeln!(text, "  library {:?}", service.library).unwrap();
        for shown in service.settings.shown() {
            writeln!(text, "  {}: {} {}  # {}", shown.governs, shown.name, shown.text, place(case, shown.origin)).unwrap();
            for shadowed in shown.shadowed {
                let at = place(case, &shadowed.origin);
                let meant = if shadowed.meant_to_count { "meant" } else { "general" };
                writeln!(text, "    not {} {}  # {at} ({meant}): {}", shadowed.name, shadowed.text, shadowed.why).unwrap();
            }
        }
        if let Some(versions) = &service.settings.versions {
            writeln!(text, "  = versions {:?}", versions.value.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        }
        for note in &service.notes {
            writeln!(text, "  note {}{}", at(case, note.at.as_ref()), note.says).unwrap();
        }
    }
    for trouble in &reading.troubles {
        let fatal = if trouble.fatal { "fatal" } else { "trouble" };
        writeln!(text, "{fatal} {}{}", at(case, trouble.at.as_ref()), trouble.says).unwrap();
    }
    writeln!(text, "files {}", reading.files.join(" ")).unwrap();
    text
}

fn at(case: &Case, span: Option<&tlswhy_config::Span>) -> String {
    span.map_or(String::new(), |span| format!("{}:{}: ", span.path, Position::of(&case.bytes(&span.path), span.start)))
}

fn wants() -> Vec<Want> {
    let suites = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"];
    let suites = suites.map(|name| name.parse::<CipherSuite>().unwrap());
    vec![
        Want::Versions(vec![ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3]),
        Want::Versions(vec![ProtocolVersion::TLSV1_2]),
        Want::CipherList(suites.to_vec(), None),
        Want::Groups(vec![NamedGroup::X25519, NamedGroup::SECP256R1]),
    ]
}

/// The versions that the settings of a service name; `None` where they name none.
fn versions(service: &Service) -> Option<Vec<ProtocolVersion>> {
    let settings = &service.settings;
    let all = [
        ProtocolVersion::SSLV3,
        ProtocolVersion::TLSV1_0,
        ProtocolVersion::TLSV1_1,
        ProtocolVersion::TLSV1_2,
        ProtocolVersion::TLSV1_3,
    ];
    let (lowest, highest) = (settings.minimum_version.as_ref(), settings.maximum_version.as_ref());
    if settings.versions.is_none() && lowest.is_none() && highest.is_none() {
        return None;
    }
    let set = settings.versions.as_ref().map_or(all.to_vec(), |versions| versions.value.clone());
    let mut set: Vec<ProtocolVersion> = set
        .into_iter()
        .filter(|version| lowest.is_none_or(|lowest| *version >= lowest.value))
        .filter(|version| highest.is_none_or(|highest| *version <= highest.value))
        .collect();
    set.sort();
    Some(set)
}

/// Applies the edits, reads again, and checks that the wanted is in effect.
fn check_edit(case: &Case, index: usize, want: &Want, patches: &[Patch]) {
    let mut paths: Vec<&str> = patches.iter().map(|patch| patch.path.as_str()).collect();
    paths.dedup();
    let changed = paths.into_iter().map(|path| {
        let of_file = patches.iter().filter(|patch| patch.path == path);
        let bytes = patched(&case.bytes(path), of_file).unwrap_or_else(|| panic!("patches of {path} overlap: {patches:?}"));
        (normal(path), bytes)
    });
    let mut changed: Vec<(String, Vec<u8>)> = changed.collect();
    changed.extend(case.changed.iter().cloned());
    let after = Case {
        dialect: case.dialect,
        main: case.main.clone(),
        software: case.software.clone(),
        root: case.root.clone(),
        changed,
    };
    after.with(|_, reading| {
        let service = &reading.services[index];
        match want {
            Want::Versions(wanted) => assert_eq!(versions(service).as_ref(), Some(wanted), "{}: {patches:?}", service.title),
            Want::Groups(wanted) => {
                let groups = service.settings.groups.as_ref().map(|groups| &groups.value);
                assert_eq!(groups, Some(wanted), "{}: {patches:?}", service.title);
            }
            Want::CipherList(wanted, _) => {
                let text = &service.settings.cipher_list.as_ref().expect("a cipher list").value.text;
                for suite in wanted {
                    let name = suite.details().and_then(|details| details.openssl_name).unwrap();
                    let iana = suite.to_string();
                    assert!(text.contains(name) || text.contains(&iana), "{text} lacks {name}: {patches:?}");
                }
            }
            _ => {}
        }
    });
}

#[test]
fn every_example_means_what_was_written_down_and_every_edit_reads_back() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialects");
    let only = std::env::var("DIALECT").ok();
    let mut wrong = Vec::new();
    for dialect in sorted(&directory) {
        if only.as_deref().is_some_and(|only| !dialect.ends_with(only)) {
            continue;
        }
        for folder in sorted(&dialect) {
            let case = Case::load(&folder);
            let text = case.with(|context, reading| {
                let mut text = describe(&case, reading);
                for (index, service) in reading.services.iter().enumerate() {
                    // What speaks no TLS has nothing to set.
                    if service.settings.tls.as_ref().is_some_and(|tls| !tls.value) {
                        continue;
                    }
                    for want in wants() {
                        if service.side == Side::Client && !matches!(want, Want::Versions(_)) {
                            continue;
                        }
                        match (case.dialect.mend)(context, service, &want) {
                            Ok(patches) => {
                                assert!(!patches.is_empty(), "{}: no edit for {want:?}", service.title);
                                check_edit(&case, index, &want, &patches);
                                writeln!(text, "mend {index} {}", short(&want)).unwrap();
                                for patch in &patches {
                                    let from = Position::of(&case.bytes(&patch.path), patch.start);
                                    writeln!(text, "  {}:{from} +{} {:?}", patch.path, patch.end - patch.start, patch.new)
                                        .unwrap();
                                }
                            }
                            Err(CannotMend { why }) => writeln!(text, "mend {index} {} cannot: {why}", short(&want)).unwrap(),
                        }
                    }
                }
                text
            });
            let expected = folder.join("expected.txt");
            if std::env::var_os("BLESS").is_some() {
                fs::write(&expected, &text).unwrap();
            } else if fs::read_to_string(&expected).unwrap_or_default() != text {
                wrong.push(format!("{}\n{text}", folder.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One way to write the same configuration.
struct Writing {
    name: &'static str,
    /// The same file, so written; `None` where it cannot be.
    write: fn(&[u8]) -> Option<Vec<u8>>,
}

const WRITINGS: &[Writing] = &[
    Writing { name: "with the line ends of Windows", write: |text| Some(replaced(text, b"\n", b"\r\n")) },
    Writing { name: "without a last line end", write: |text| Some(text.strip_suffix(b"\n")?.to_vec()) },
    Writing { name: "with tabs", write: |text| Some(replaced(text, b"    ", b"\t")) },
    Writing { name: "with a comment in Latin-1", write: |text| Some([text, b"# caf\xe9 au lait\n"].concat()) },
];

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut new = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(from) {
            new.extend_from_slice(to);
            at += from.len();
        } else {
            new.push(text[at]);
            at += 1;
        }
    }
    new
}

/// The comments of a text that begin a line or follow a blank, each with its mark.
fn comments(text: &[u8]) -> Vec<&[u8]> {
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.filter_map(|line| line.get(line.iter().position(|byte| *byte == b'#')?..)).collect()
}

#[test]
fn an_edit_keeps_comments_and_line_ends_however_the_file_is_written() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialects");
    let only = std::env::var("DIALECT").ok();
    let mut wrong = Vec::new();
    let mut count = 0;
    for dialect in sorted(&directory) {
        if only.as_deref().is_some_and(|only| !dialect.ends_with(only)) {
            continue;
        }
        for (folder, writing) in sorted(&dialect).iter().flat_map(|folder| WRITINGS.iter().map(move |one| (folder, one))) {
            let mut case = Case::load(folder);
            let windows = writing.name.contains("Windows");
            let read = case.with(|_, reading| reading.files.clone());
            case.changed =
                read.into_iter().filter_map(|path| Some((path.clone(), (writing.write)(&case.bytes(&path))?))).collect();
            case.with(|context, reading| {
                for (index, service) in reading.services.iter().enumerate() {
                    if service.settings.tls.as_ref().is_some_and(|tls| !tls.value) {
                        continue;
                    }
                    for want in wants().iter().filter(|want| service.side == Side::Server || matches!(want, Want::Versions(_)))
                    {
                        let Ok(patches) = (case.dialect.mend)(context, service, want) else { continue };
                        let what = format!("{} {}: {} of {}", folder.display(), writing.name, short(want), service.title);
                        let kept =
                            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check_edit(&case, index, want, &patches)));
                        if kept.is_err() {
                            wrong.push(format!("{what}: it does not read back"));
                        }
                        for patch in &patches {
                            let (old, new) = (case.bytes(&patch.path), patch.new.as_bytes());
                            let replaced = &old[patch.start..patch.end];
                            let lost = comments(replaced)
                                .into_iter()
                                .any(|comment| !new.windows(comment.len()).any(|one| one == comment));
                            // A file without a line end has none to be kept.
                            let bare = windows
                                && old.contains(&b'\n')
                                && new
                                    .iter()
                                    .enumerate()
                                    .any(|(at, byte)| *byte == b'\n' && at.checked_sub(1).map(|at| new[at]) != Some(b'\r'));
                            if lost || bare {
                                wrong.push(format!("{what}: {patch:?} for {:?}", String::from_utf8_lossy(replaced)));
                            }
                        }
                        count += 1;
                    }
                }
            });
        }
    }
    assert!(wrong.is_empty(), "{} of {count}\n{}", wrong.len(), wrong.join("\n"));
    assert!(only.is_some() || count > 1000, "only {count}");
}

fn short(want: &Want) -> String {
    match want {
        Want::Versions(versions) => {
            format!("versions {}", versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        }
        Want::CipherList(..) => "cipher-list".to_owned(),
        Want::Groups(_) => "groups".to_owned(),
        other => format!("{other:?}"),
    }
}

fn sorted(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    paths.sort();
    paths
}
