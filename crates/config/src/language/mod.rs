//! The small languages in which libraries name suites, versions and groups, evaluated as the library does.

pub mod gnutls_priority;
pub mod java_algorithms;
pub(crate) mod jsse;
pub(crate) mod jsse_offer;
pub mod names;
pub mod openssl_ciphers;
