//! The captures under `tests/data`.

use std::path::Path;

/// Every capture the name of which begins so, with its name.
pub(crate) fn all(prefix: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut found: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "hex"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, path)| (name, unhex(&std::fs::read_to_string(path).unwrap())))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no capture begins with {prefix}");
    found
}

/// The capture of this name.
pub(crate) fn one(name: &str) -> Vec<u8> {
    let found = all(name).into_iter().find(|(found, _)| found == name);
    found.unwrap_or_else(|| panic!("no capture {name}")).1
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}
