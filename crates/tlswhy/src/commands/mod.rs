//! The commands, one file each.

mod asking;
mod baseline;
pub(crate) mod cert;
mod chain;
pub(crate) mod check;
pub(crate) mod clients;
pub(crate) mod config;
mod connect;
pub(crate) mod demo;
pub(crate) mod diagnose;
mod examine;
pub(crate) mod explain;
pub(crate) mod fix;
pub(crate) mod generate;
mod judged;
pub(crate) mod listen;
mod machine;
pub(crate) mod pcap;
mod policies;
pub(crate) mod relay;
mod reports;
#[cfg(target_os = "linux")]
pub(crate) mod run;
mod saved;
pub(crate) mod schema;
mod served;
pub(crate) mod software;
pub(crate) mod trace;
mod trust;
mod watched;
