//! The small languages in which libraries name suites, versions and groups, evaluated as the library does.

pub mod names;
pub mod openssl_ciphers;
