//! What configurations are said to mean, compared with what the real programs do with them.
//!
//! A [`Case`] is a generated configuration. [`run`] starts the program with it, measures every [`Look`] at it with hellos that
//! differ in one thing at a time ([`Measured`]), and compares that with what `tlswhy-config` reads in the same files
//! ([`Predicted`]). A program that refuses the configuration is a result too. What differs is a fault, unless
//! `mismatches.txt` lists it with its reason.
//!
//! To add cases for a dialect: write `<dialect>.rs` with a `cases()` and name it in [`cases`].
//!
//! ```text
//! cargo run -p tlswhy-lab -- configs [DIALECT|ID…]
//! ```

mod apache;
mod caddy;
mod case;
pub mod command;
mod compare;
mod dovecot;
mod haproxy;
mod hellos;
mod leaf;
mod lighttpd;
mod measure;
mod measured;
mod mysql;
mod nginx;
mod postfix;
mod postgresql;
mod predict;
mod run;
mod stunnel;
mod tomcat;

pub use case::{Case, Look, Placed};
pub use compare::{Difference, Predicted, differences};
pub use leaf::Leaf;
pub use measure::Measurer;
pub use measured::Measured;
pub use predict::{Forecast, predict};
pub use run::{Outcome, Ran, faults, run};

/// Every case whose dialect is one of these words or whose id begins with one; all without words.
pub fn cases(words: &[String]) -> Vec<Case> {
    let all = [
        apache::cases(),
        caddy::cases(),
        dovecot::cases(),
        haproxy::cases(),
        lighttpd::cases(),
        mysql::cases(),
        nginx::cases(),
        postfix::cases(),
        postgresql::cases(),
        stunnel::cases(),
        tomcat::cases(),
    ]
    .into_iter()
    .flatten();
    let fits = |case: &Case, word: &String| case.dialect == word || case.id.starts_with(word.as_str());
    all.filter(|case| words.is_empty() || words.iter().any(|word| fits(case, word))).collect()
}
