//! TLS bytes to messages and back: tolerant, with offsets, no I/O.

pub mod registry;

pub use registry::*;
