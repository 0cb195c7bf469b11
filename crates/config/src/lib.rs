//! What the configuration files of TLS servers and clients mean: the settings in effect, where each comes from, what it
//! shadows, and which bytes to change for another meaning.
//!
//! No I/O: a reading looks files up in [`Files`]; what is not there is noted as wanted, and the reading is made again once it is.
//! Everything read is hostile until parsed: bounded in depth, time and memory, never a panic. What cannot be read is a
//! [`Trouble`] with its place, and the rest is read.
//!
//! To add a dialect see [`dialects`].

pub mod dialects;
mod diff;
mod effective;
mod files;
mod includes;
pub mod language;
mod mend;
mod release;
mod service;
mod setting;
mod span;

pub use dialects::openssl::{Heeding, PROGRAMS, SystemPolicy, heeds, stops_at_diagnostics, system_policy};
pub use dialects::{Commands, Context, DIALECTS, Dialect, Likeness, MOST_SERVICES, dialect, recognise};
pub use diff::{between, unified};
pub use effective::{Effective, Reduction, effective};
pub use files::{Content, Files, directory_of, fits, has_wildcard, normal, of_a_process, relative_to};
pub use mend::{CannotMend, Patch, Want, indentation, line_end, patched};
pub use release::{NoRelease, Release};
pub use service::{Heeds, Library, Listener, Note, Reading, Service, Side, Trouble, serving};
pub use setting::{CipherList, ClientVerification, Language, Setting, Settings, Shadowed, Shown};
pub use span::{Origin, Position, Span, Via};
