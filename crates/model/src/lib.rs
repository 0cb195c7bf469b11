//! The two documents of tlswhy: [`Evidence`], what was seen, and [`Report`], what follows from it.
//!
//! The types *are* the JSON contract (`docs/contract.md`): there is no mirrored layer. Within one major version of the
//! format only additions happen; readers accept unknown keys and unknown codes. Nothing here judges, connects or reads.
//!
//! Conventions: keys are snake_case and carry their unit (`_ms`, `_bytes`); codes are kebab-case; protocol values are IANA
//! names or hexadecimal numbers; times are RFC 3339 in UTC; bytes are lower-case hexadecimal; offsets are 0-based and
//! half-open into stored bytes; lines and columns are 1-based.

mod attempt;
mod bytes;
mod changes;
mod client;
mod configuration;
mod evidence;
mod file;
mod finding;
mod path;
mod policy;
mod question;
mod remedy;
mod report;
#[cfg(feature = "schema")]
pub mod schema;
mod server;
mod software;
mod symptoms;
mod text;

pub use attempt::{Attempt, Awaited, Ending, Exchange, Speaker, Timing};
pub use bytes::Bytes;
pub use changes::{Change, ChangesView};
pub use client::{ClientPolicy, ClientProfile, LocalOpenssl, Software, WATCHED_CLIENT};
pub use configuration::{
    ConfigReport, ConfigurationView, EffectiveView, PlacedNote, ReductionView, ServiceView, SettingView, ShadowedView,
    UnreadPath,
};
pub use evidence::{Evidence, Fetched, Identity, KnownCertificate, NamedStore, Records, Resolution, Subject, TrustAnchors};
pub use file::{FileContent, GivenConfiguration, InstalledSoftware, LinkedLibrary, MOST_FILE_BYTES, SeenFile};
pub use finding::{Confidence, Direction, Exhibit, Finding, Impact, Layer, Party, Stage};
pub use path::{PathAnswer, PathMeasurement, PathPacket, PathProbe, PathQuestion, Piece, TcpState};
pub use policy::{PolicyView, RuleResult, RuleView};
pub use question::{Answer, Asked, Depth, HEARTBEAT, LONG_HEARTBEAT, Opening, Probe, Question, QuestionId, Trial};
pub use remedy::{Edit, Prediction, Remedy, Safety};
pub use report::{
    AddressOutcome, CertificateView, ChainView, ClientOutcome, Cost, HopView, Notice, OpenQuestion, Outcome, PathView, Report,
    StoppedView, StoreView, Tool,
};
pub use server::{
    Acceptance, AcceptedValue, ClientCertificateView, FeatureView, OrderView, PrimeView, ServerView, ShownCertificate,
    ValuesView, VersionView,
};
pub use software::{Abilities, EndOfLife, FoundSoftware, Lacking, SoftwareReport, SoftwareRole, UsedLibrary, Walk};
pub use symptoms::{NamedPeer, NextStep, SuspectedCause, Symptom, SymptomReport, TextInput, TextSpeaker};
pub use text::printable;

/// Version of both formats: `MAJOR.MINOR`. A reader takes every minor of its own major.
pub const FORMAT_VERSION: &str = "1.2";
/// The `format` of an evidence document.
pub const EVIDENCE_FORMAT: &str = "tlswhy-evidence";
/// The `format` of a document on configurations.
pub const CONFIG_FORMAT: &str = "tlswhy-config";
/// The `format` of a document on error messages.
pub const SYMPTOMS_FORMAT: &str = "tlswhy-symptoms";
/// The `format` of a document on the software of a machine.
pub const SOFTWARE_FORMAT: &str = "tlswhy-software";
/// The `format` of a report document.
pub const REPORT_FORMAT: &str = "tlswhy-report";
