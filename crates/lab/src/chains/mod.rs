//! What each real client does with a certificate chain: chains made here, served on loopback exactly as listed, and every
//! client on this machine run against each; and whether [`tlswhy_core::chain`] predicts it.
//!
//! ```text
//! cargo run -p tlswhy-lab -- chains                          every client that is here
//! cargo run -p tlswhy-lab -- chains openssl java             these alone
//! cargo run -p tlswhy-lab -- chains --also PROFILE=KIND:COMMAND   another build of a kind, such as one in a chroot
//! cargo run -p tlswhy-lab -- chains --record                 writes what was seen into measured.tsv
//! ```

mod browsers;
mod cases;
mod certificate;
mod clients;
pub mod command;
mod der;
pub mod predict;
mod rustls_client;
mod serve;

pub use cases::Case;
pub use clients::{Client, Kind, Outcome, found};
pub use serve::Chains;
