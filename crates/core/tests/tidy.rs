//! What keeps lists, files, pages and rooms in step: a forgotten file or an import across a wall fails here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test stops at what it did not expect")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tlswhy_core::{CAUSES, Cause};

/// The headings of a cause's page, in order.
const HEADINGS: [&str; 5] = ["## Diagnosis", "## Cause", "## Fix", "## Why it works", "## References"];

/// Files in `src/causes` that are no cause.
const NO_CAUSE: [&str; 7] = ["certificates.rs", "found.rs", "mod.rs", "places.rs", "software.rs", "told.rs", "words.rs"];

/// Which module of this crate may import which. `lib.rs` only declares and re-exports.
const IMPORTS: &[(&str, &[&str])] = &[
    ("case", &[]),
    ("changes", &[]),
    ("knowledge", &[]),
    ("chain", &["knowledge"]),
    ("negotiate", &["case", "chain", "knowledge"]),
    ("path", &["knowledge"]),
    ("causes", &["case", "chain", "configuration", "examination", "knowledge", "negotiate", "path"]),
    ("configuration", &["case", "causes", "chain", "examination", "knowledge", "negotiate"]),
    ("examination", &["case", "causes", "chain", "configuration", "inventory", "knowledge", "negotiate", "panel", "path"]),
    ("inventory", &["case", "chain", "knowledge", "negotiate"]),
    ("panel", &["case", "causes", "chain", "examination", "negotiate"]),
    ("redact", &["case", "chain"]),
    ("software", &["knowledge"]),
    ("symptoms", &["causes", "knowledge"]),
];

/// Which crate of the workspace may depend on which.
const ROOMS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("model", &["wire"]),
    ("capture", &["model", "wire"]),
    ("config", &["model", "wire"]),
    ("core", &["config", "model", "wire"]),
    ("gather", &["model", "steer", "wire"]),
    ("steer", &[]),
    ("tlswhy", &["capture", "config", "core", "gather", "model", "steer", "wire"]),
];

/// Words that would bring the world into a room that only thinks.
const WORLD: [&str; 8] =
    ["std::env::", "std::fs", "std::process", "thread::spawn", "TcpStream", "UdpSocket", "Instant::now", "SystemTime::now"];

#[test]
fn causes_are_sorted_and_each_has_its_files() {
    assert!(CAUSES.is_sorted_by_key(|cause| cause.code));
    let codes: BTreeSet<_> = CAUSES.iter().map(|cause| cause.code).collect();
    assert_eq!(codes.len(), CAUSES.len(), "a code stands twice");

    let mut expected = BTreeSet::from(NO_CAUSE.map(String::from));
    for cause in CAUSES {
        let stem = cause.code.replace('-', "_");
        let page = read(&root().join(format!("crates/core/src/causes/{stem}.md")));
        assert_eq!(page, cause.doc, "{}: another page", cause.code);
        expected.extend([format!("{stem}.md"), format!("{stem}.rs")]);
    }
    let present: BTreeSet<_> = fs::read_dir(root().join("crates/core/src/causes"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(present, expected);
}

#[test]
fn pages_have_one_sentence_and_the_five_headings() {
    for cause in CAUSES {
        let code = cause.code;
        let mut lines = cause.doc.lines();
        let sentence = lines.next().unwrap();
        assert!(
            sentence.ends_with('.') && !sentence.contains(['#', '*', '`', '[', '_']),
            "{code}: the first line is one plain sentence"
        );
        assert_eq!(lines.next(), Some(""), "{code}: line 2 is empty");

        let prose = prose(cause.doc);
        let headings: Vec<_> = prose.iter().filter(|line| line.starts_with('#')).collect();
        assert_eq!(headings, HEADINGS.iter().collect::<Vec<_>>(), "{code}");
        for pair in prose.windows(3) {
            assert!(!(pair[0].starts_with("## ") && pair[2].starts_with("## ")), "{code}: nothing under {}", pair[0]);
        }
        assert_eq!(cause.doc.matches("\n```").count() % 2, 0, "{code}: open block");
        assert!(cause.doc.lines().count() <= 120, "{code}: too long to read");
        assert!(cause.doc.ends_with('\n'), "{code}: ends in mid-line");
    }
}

#[test]
fn leads_to_names_listed_causes_and_has_no_cycle() {
    fn follow<'a>(cause: &'a Cause, path: &mut Vec<&'a str>) {
        assert!(!path.contains(&cause.code), "{path:?} → {}", cause.code);
        path.push(cause.code);
        for next in cause.leads_to {
            assert!(
                CAUSES.iter().any(|listed| listed.code == next.code),
                "{} leads to {}, which is not listed",
                cause.code,
                next.code
            );
            follow(next, path);
        }
        path.pop();
    }
    for cause in CAUSES {
        follow(cause, &mut Vec::new());
    }
}

#[test]
fn every_cause_has_a_case_that_finds_it_and_a_near_miss() {
    let cases = root().join("crates/core/tests/cases");
    if !cases.exists() {
        println!("skipped: {} is not there", cases.display());
        return;
    }
    let mut missing = Vec::new();
    for cause in CAUSES {
        let names: Vec<String> = folders(&cases.join(cause.code));
        for kind in ["found", "absent"] {
            if !names.iter().any(|name| name.starts_with(kind)) {
                missing.push(format!("{}/{kind}…", cause.code));
            }
        }
    }
    assert!(missing.is_empty(), "no such case: {missing:?}");
    for folder in folders(&cases) {
        assert!(CAUSES.iter().any(|cause| cause.code == folder) || folder == "healthy", "cases/{folder} belongs to no cause");
    }
}

#[test]
fn paths_named_in_the_documents_exist() {
    let mut missing = Vec::new();
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        let text = read(&root().join(document));
        let named = paths(&text);
        assert!(!named.is_empty(), "{document} names no path");
        for path in named {
            if !root().join(&path).exists() {
                missing.push(format!("{document}: {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let table: BTreeMap<_, _> = IMPORTS.iter().copied().collect();
    let source = root().join("crates/core/src");
    let mut wrong = Vec::new();
    for file in rust_files(&source) {
        let module = file.strip_prefix(&source).unwrap();
        let module = module.iter().next().unwrap().to_str().unwrap();
        let module = module.trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let allowed = table.get(module).unwrap_or_else(|| panic!("{module} is not in the import table"));
        for import in imports(&shipped(&file)) {
            if import != module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{}: crate::{import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_cause_names_another_only_as_what_it_leads_to() {
    let stems: Vec<String> = CAUSES.iter().map(|cause| cause.code.replace('-', "_")).collect();
    for stem in &stems {
        let file = root().join(format!("crates/core/src/causes/{stem}.rs"));
        let text = shipped(&file);
        for other in stems.iter().filter(|other| *other != stem) {
            for (at, _) in text.match_indices(&format!("{other}::")) {
                assert!(text[at + other.len()..].starts_with("::CAUSE"), "{stem}.rs uses more of {other} than its CAUSE");
            }
        }
    }
}

#[test]
fn rooms_depend_only_downwards() {
    for (room, allowed) in ROOMS {
        let manifest = read(&root().join(format!("crates/{room}/Cargo.toml")));
        let dependencies = manifest.split("\n[").find(|section| section.starts_with("dependencies]")).unwrap_or("");
        for line in dependencies.lines() {
            let name = line.split(['.', ' ', '=']).next().unwrap_or("");
            if let Some(other) = name.strip_prefix("tlswhy-") {
                assert!(allowed.contains(&other), "{room} depends on {other}");
            }
        }
    }
}

#[test]
fn the_rooms_that_think_do_not_touch_the_world() {
    for room in ["wire", "model", "core"] {
        for file in rust_files(&root().join(format!("crates/{room}/src"))) {
            let text = shipped(&file);
            for word in WORLD {
                assert!(!text.contains(word), "{}: {word}", file.display());
            }
        }
    }
}

/// The checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names of the folders in `parent`.
fn folders(parent: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The file without comments and without its tests, which stand last.
fn shipped(file: &Path) -> String {
    let text = read(file);
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    let lines = text[..end].lines();
    lines.filter(|line| !line.trim_start().starts_with("//")).fold(String::new(), |text, line| text + line + "\n")
}

/// The modules that follow `crate::`, also those in a list of braces.
fn imports(text: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String { text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => {
                found.insert(word(rest));
            }
            Some(list) => {
                let mut depth = 0;
                let mut start = true;
                for (index, c) in list.char_indices() {
                    if start && depth == 0 && c.is_alphabetic() {
                        found.insert(word(&list[index..]));
                        start = false;
                    }
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

/// The lines outside fenced blocks.
fn prose(page: &str) -> Vec<&str> {
    let mut fenced = false;
    page.lines()
        .filter(|line| {
            let fence = line.starts_with("```");
            if fence {
                fenced = !fenced;
            }
            !fenced && !fence
        })
        .collect()
}

/// Paths named in a document: `code` that looks like one, and the targets of links. A placeholder such as `<code>` ends the
/// path at the folder before it.
fn paths(text: &str) -> BTreeSet<String> {
    let prose = prose(text).join("\n");
    let code = prose.split('`').skip(1).step_by(2);
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let looks_like_a_path = |word: &&str| {
        let known = [".md", ".rs", ".toml", ".json", ".html"];
        !word.contains([' ', ':', '(', '$', '\n', '='])
            && !word.starts_with(['-', '/', '~'])
            && (known.iter().any(|end| word.ends_with(end)) && word.len() > 6
                || word.starts_with(".ci/")
                || ["crates/", "docs/", "schemas/", "fuzz/"].iter().any(|start| word.starts_with(start)))
    };
    code.filter(looks_like_a_path)
        .chain(links.filter(|link| !link.contains("://") && !link.is_empty()))
        .map(|path| match path.find(['<', '*', '…']) {
            Some(at) => path[..at].rsplit_once('/').map_or("", |(folder, _)| folder),
            None => path,
        })
        .filter(|path| !path.is_empty())
        .map(|path| path.trim_end_matches('/').to_owned())
        .collect()
}
