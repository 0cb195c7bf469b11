//! Packet captures to TLS handshakes: what each side sent, and how it ended.
//!
//! Bytes come from anything that can be read; nothing here opens a file or a socket, asks a clock or names a cause. The way:
//! a file gives frames ([`mod@file`]), a frame an IP packet ([`link`]), that a TCP segment ([`packet`]), segments the two directions
//! of a connection, and those a [`Handshake`]. All of it is hostile until parsed: what is kept is bounded by the constants of
//! these modules and by [`Limits`], and no input makes it panic.

mod connection;
mod error;
pub mod file;
mod fragments;
mod handshake;
pub mod link;
pub mod packet;
mod resets;
mod stream;
mod table;
mod talk;
mod tunnels;
mod verdict;
mod walk;
mod watch;

pub use error::{CaptureError, Damage};
pub use handshake::{ForgedReset, Handshake, Outcome, Side, Times, Tunnel};
pub use table::{Counts, Limits, Reading, read};
pub use watch::Watch;
