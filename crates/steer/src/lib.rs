//! Steers the TCP connections of a command and its descendants, as an ordinary user (Linux 5.6 and later).
//!
//! A process that is about to become the command calls [`confine`]: a seccomp filter (seccomp(2), `SECCOMP_RET_USER_NOTIF`) then
//! holds each of its calls of connect(2), and those of every descendant, until the supervisor answers. The supervisor receives the
//! other end by [`Supervisor::receive`], and for each [`Connect`] lets the call go on as it is ([`Connect::allow`]) or connects the
//! very socket of the caller to another place ([`Connect::lead_to`]). Nothing else of the command is touched: no byte, no library,
//! no environment variable.
//!
//! This is steering and no security boundary: a command that wants to can get around it (io_uring, sendto with `MSG_FASTOPEN`).

#![cfg(target_os = "linux")]

mod confine;
mod connect;
mod sys;

pub use confine::{Unsupported, channel, confine, inherited};
pub use connect::{Connect, Led, Supervisor};
