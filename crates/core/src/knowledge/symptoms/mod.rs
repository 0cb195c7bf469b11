//! What programs and libraries print when a handshake fails, and what that means. All of it is tables:
//!
//! | file | holds |
//! |---|---|
//! | `meanings.toml` | what a message can mean: what it proves, what it leaves open, which causes fit |
//! | `alerts.toml` | the same for the alerts, by number, with the words that libraries have for each |
//! | `says/<who>.toml` | the words and numbers of one library or program, each with its meaning |
//! | `clues.toml` | what else in a text makes a cause likelier |
//! | `ends.toml` | what tells a client's text from a server's, and which host it is about |
//! | `next.toml` | the command to run next |
//!
//! Words and patterns are matched in *folded* text: lower case, and a space for each hyphen and underscore. So
//! `WRONG_VERSION_NUMBER`, `wrong version number` and `Wrong-Version-Number` are one.

mod files;
mod tables;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use tables::{Alert, Clue, Code, End, EndMark, Matching, Meaning, Next, Peer, Rank, Saying, Speaker, UpgradePort};

/// Every table.
pub struct Tables {
    /// What messages mean; those of the alerts are among them, as `alert-N`.
    pub meanings: Vec<Meaning>,
    /// The alerts: number, words, and where in `meanings` it is.
    pub alerts: Vec<Alert>,
    /// What libraries and programs say.
    pub sayings: Vec<Saying>,
    /// How they print numbers.
    pub codes: Vec<Code>,
    /// What a number of one of `codes` means: by its place there and the digits, the place in `sayings`.
    pub numbers: BTreeMap<(usize, String), usize>,
    /// What makes a cause likelier.
    pub clues: Vec<Clue>,
    /// What tells the two ends apart.
    pub ends: Vec<EndMark>,
    /// How texts name the peer.
    pub peers: Vec<Peer>,
    /// Commands to run next.
    pub next: Vec<Next>,
    /// Further ports of protocols that start TLS when asked.
    pub upgrades: Vec<UpgradePort>,
}

/// The tables, read once.
pub fn tables() -> &'static Tables {
    static TABLES: LazyLock<Tables> = LazyLock::new(files::read);
    &TABLES
}

/// `bytes` as words and patterns see them; every byte keeps its place.
pub fn fold(bytes: &[u8], folded: &mut Vec<u8>) {
    folded.clear();
    folded.extend(bytes.iter().map(|byte| match byte {
        b'_' | b'-' => b' ',
        other => other.to_ascii_lowercase(),
    }));
}
