//! Real clients, observed: what they send by themselves. Nothing here makes a connection of its own.

mod hearing;

pub use hearing::{FirstWords, Heard, hear};
