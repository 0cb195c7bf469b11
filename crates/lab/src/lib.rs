//! Real servers, broken on purpose, and what `tlswhy` must say of them.
//!
//! Each [`Scenario`] starts a server on a loopback port, says with which arguments `tlswhy` is run against it, which
//! outcome and which blocking findings it must report, and how a real `openssl s_client` meets the same server: with
//! the fault, and with the fault mended. Healthy servers are scenarios too: they must get no blocking finding.
//!
//! ```text
//! cargo run -p tlswhy-lab -- list            the scenarios
//! cargo run -p tlswhy-lab -- serve ID        start one, print how to look at it, wait for Enter
//! cargo run -p tlswhy-lab -- see [ID…]       what openssl, curl and gnutls-cli say
//! cargo run -p tlswhy-lab -- run [ID…]       what tlswhy says, as a table
//! cargo run -p tlswhy-lab -- configs [ID…]   generated configurations: what is read in them, and what the programs do
//! cargo run -p tlswhy-lab -- clients [ID…]   files of client programs: what is read in them, and the hellos that follow
//! ```
//!
//! Linux only: servers are wrapped in `setpriv`, time-outs are made with the kernel's accept queue and network namespaces.

pub mod bench;
pub mod bench_chain;
pub mod bench_configurations;
pub mod bench_run;
pub mod chains;
pub mod clients;
pub mod configs;
pub mod crashes;
pub mod fake;
pub mod fixes;
pub mod hindered;
pub mod not_kept;
pub mod old_openssl;
pub mod path;
pub mod pki;
pub mod programs;
pub mod real_client;
pub mod runner;
pub mod scenario;
pub mod scenarios;
pub mod server;

pub use scenario::{Scenario, Seen};
pub use scenarios::SCENARIOS;
pub use server::{Lab, Server, StartError};
