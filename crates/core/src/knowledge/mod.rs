//! What is known beforehand: clients, the hellos that serve as controls, words of products. Tables, each row with its source.

pub mod alerts;
pub mod application_protocols;
pub mod clients;
pub mod controls;
pub mod dated;
pub mod distrust;
pub mod fingerprints;
pub mod icmp;
pub mod inspectors;
pub mod likeness;
pub mod local_openssl;
pub mod mozilla;
pub mod policies;
pub mod primes;
pub mod refusals;
pub mod software;
pub mod symptoms;
pub mod tls_wanted;
