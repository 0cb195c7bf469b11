//! All knowledge and judgement of tlswhy; no I/O, no clock, no environment.
//!
//! Evidence comes in, questions or a report go out:
//!
//! ```text
//! Evidence ─▶ case (bytes read) ─▶ story (where does it stop, what lets it go on) ─▶ causes (in words) ─▶ Report
//!     ▲                              │
//!     └────────── answers ◀──────────┘ questions
//! ```
//!
//! [`Examination`] is the state machine around it. To add a cause see [`causes`]; a client profile is one file in
//! `knowledge/clients`.

mod case;
pub mod causes;
pub mod chain;
mod changes;
pub mod configuration;
pub mod examination;
pub mod inventory;
pub mod knowledge;
pub mod negotiate;
mod panel;
pub mod path;
mod redact;
mod software;
pub mod symptoms;

pub use causes::{CAUSES, Cause};
pub use changes::changes;
pub use configuration::inspection::{Inspection, InspectionRequest, InspectionStep};
pub use examination::{Budget, Examination, Family, Request, Step, TrustStore};
pub use inventory::Inventory;
pub use knowledge::clients::{FALLBACK, client, client_from_toml, client_of_hello, client_to_toml, clients, panel};
pub use knowledge::local_openssl::{LOCAL, local_openssl};
pub use redact::redact;
pub use software::software_report;
