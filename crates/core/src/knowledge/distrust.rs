//! Distrust by date: roots of which a store takes old certificates and no new ones.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    root: Vec<Row>,
}

/// One root in one store; the file also has its `name` and the `source` of the date.
#[derive(Deserialize)]
struct Row {
    store: String,
    /// Of the root's certificate, hexadecimal.
    sha256: String,
    /// RFC 3339.
    distrust_after: String,
}

static ROWS: LazyLock<BTreeMap<(String, String), i64>> = LazyLock::new(|| {
    let rows = toml::from_str::<File>(include_str!("distrust.toml")).map(|file| file.root).unwrap_or_default();
    rows.into_iter()
        .filter_map(|row| {
            let after: jiff::Timestamp = row.distrust_after.parse().ok()?;
            Some(((row.store, row.sha256), after.as_second()))
        })
        .collect()
});

/// After which time (seconds since 1970) the store takes no certificates of this root (SHA-256 of its certificate) any more, going by
/// when they begin. Stores: `mozilla`, `chrome`. Of Apple's no row is known.
pub fn distrust_after(store: &str, sha256: &[u8; 32]) -> Option<i64> {
    let hex: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    ROWS.get(&(store.to_owned(), hex)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_names_roots_once() {
        let rows: toml::Table = toml::from_str(include_str!("distrust.toml")).unwrap();
        assert_eq!(ROWS.len(), rows["root"].as_array().unwrap().len());
        assert!(ROWS.keys().all(|(store, hex)| ["mozilla", "chrome"].contains(&store.as_str()) && hex.len() == 64));
    }

    #[test]
    fn a_root_is_distrusted_by_the_store_that_says_so() {
        // AffirmTrust Commercial: constrained by Chrome.
        let hex = "0376ab1d54c5f9803ce4b2e201a0ee7eef7b57b636e8a93c9b8d4860c96f5fa7";
        let mut sha256 = [0; 32];
        for (at, byte) in sha256.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        }
        assert_eq!(distrust_after("chrome", &sha256), Some(1_731_369_599));
        assert_eq!(distrust_after("mozilla", &sha256), None);
        assert_eq!(distrust_after("chrome", &[0; 32]), None);
    }
}
