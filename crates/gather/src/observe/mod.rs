//! Real clients, observed: what they send by themselves, and where their connections go.

mod carry;
mod front;
mod hearing;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod proxy;
mod relay;
#[cfg(target_os = "linux")]
mod steering;

pub use carry::{Event, Seen, now};
pub use front::{Arrival, Front, Unreached, Witness};
pub use hearing::{FirstWords, Heard, hear};
#[cfg(target_os = "linux")]
pub use process::{JVM, Loaded, Process};
#[cfg(target_os = "linux")]
pub use proxy::LocalProxy;
pub use relay::Relay;
#[cfg(target_os = "linux")]
pub use steering::{Dialled, steer};
