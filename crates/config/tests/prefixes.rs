//! Every example tree with each of its files cut short at every byte, and with a byte changed here and there: reading never panics,
//! every place lies within its file, and mending what was read does not panic either.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tlswhy_config::{Context, Dialect, Files, Span, Want, dialect};
use tlswhy_model::{FileContent, InstalledSoftware, SeenFile};
use tlswhy_wire::ProtocolVersion;

/// Bytes that mean something in one language or another.
const TELLING: &[u8] = b"\0\n\r\"'\\{}<>$#;=[] \xff";

struct Tree {
    dialect: &'static Dialect,
    main: String,
    files: BTreeMap<String, Vec<u8>>,
}

fn below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn trees() -> Vec<Tree> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialects");
    let cases = below(&all).into_iter().filter(|path| path.ends_with("case.txt"));
    let tree = |case: PathBuf| {
        let folder = case.parent().unwrap();
        let name = folder.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let main = fs::read_to_string(&case).unwrap().lines().next().unwrap().to_owned();
        let root = folder.join("root");
        let files = below(&root).into_iter().map(|path| {
            let inside = path.strip_prefix(&root).unwrap();
            (format!("/{}", inside.display()), fs::read(&path).unwrap())
        });
        Tree { dialect: dialect(name).unwrap(), main, files: files.collect() }
    };
    cases.map(tree).collect()
}

impl Tree {
    fn look(&self, path: &str) -> SeenFile {
        let content = match self.files.get(path) {
            Some(bytes) => FileContent::Bytes { bytes: bytes.clone().into(), sha256: String::new(), public_keys: Vec::new() },
            None => {
                let within = format!("{}/", path.trim_end_matches('/'));
                let names = self.files.keys().filter_map(|file| file.strip_prefix(&within));
                let mut entries: Vec<String> =
                    names.map(|rest| rest.split('/').next().unwrap_or_default().to_owned()).collect();
                entries.dedup();
                if entries.is_empty() { FileContent::Missing } else { FileContent::Directory { entries } }
            }
        };
        SeenFile { path: path.to_owned(), real_path: None, content }
    }

    /// Reads until nothing more is wanted, and mends the first services.
    fn read(&self, mends: bool) {
        let (mut seen, mut software): (Vec<SeenFile>, Vec<InstalledSoftware>) = Default::default();
        for _ in 0..200 {
            let files = Files::new(&seen, &software);
            let context = Context { files: &files, main: &self.main };
            let reading = self.dialect.reading(&context);
            let (wanted, products) = (files.wanted(), files.wanted_software());
            if wanted.is_empty() && products.is_empty() {
                let length = |span: &Span| self.files.get(&*span.path).map_or(0, Vec::len);
                let settings = reading.services.iter().flat_map(|service| service.settings.shown());
                let spans = settings.filter_map(|shown| shown.origin.span());
                for span in spans.chain(reading.troubles.iter().filter_map(|trouble| trouble.at.as_ref())) {
                    assert!(span.start <= span.end && span.end <= length(span), "{span:?} lies outside");
                }
                let want = Want::Versions(vec![ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3]);
                for service in reading.services.iter().take(if mends { 3 } else { 0 }) {
                    let _patches = (self.dialect.mend)(&context, service, &want);
                }
                return;
            }
            drop(files);
            seen.extend(wanted.iter().map(|path| self.look(path)));
            let none = |product| InstalledSoftware {
                product,
                version: None,
                source: "the test".to_owned(),
                ..InstalledSoftware::default()
            };
            software.extend(products.into_iter().map(none));
        }
        panic!("the reading of {} never ends", self.main);
    }
}

#[test]
fn every_prefix_and_every_changed_byte_is_read() {
    let mut count = 0_usize;
    for mut tree in trees() {
        let paths: Vec<String> = tree.files.keys().cloned().collect();
        for path in paths {
            let whole = tree.files[&path].clone();
            for end in 0..whole.len() {
                tree.files.insert(path.clone(), whole[..end].to_vec());
                tree.read(end % 8 == 0);
                count += 1;
            }
            for at in (0..whole.len()).step_by(3) {
                let mut changed = whole.clone();
                changed[at] = TELLING[at / 3 % TELLING.len()];
                tree.files.insert(path.clone(), changed);
                tree.read(at % 24 == 0);
                count += 1;
            }
            tree.files.insert(path, whole);
        }
    }
    assert!(count > 1000, "only {count} were read");
}
