//! What the configuration files of TLS servers and clients mean: the settings in effect, where each comes from, what it
//! shadows. No I/O: files that are needed and not there are asked for.

pub mod language;
