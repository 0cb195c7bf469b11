//! Configurations as evidence: which lines rule the service that was examined, which lines mend it.
//!
//! `survey` reads the configurations that the evidence names, as far as their files are known; what is missing is asked for.
//! `identity` tells whose a client profile is, `judged` has the client as its own files make it, by `shift`;
//! `rivals` finds lines that are there and do not count, `none_left` servers whose library takes every version away, `restricting` lines
//! that take away what the other side needs; `settling` answers from the server's files what its answers leave open; `outdated` finds
//! software that cannot do what is needed; `locate` tells the findings their files and lines, `mending` writes the edits, and `aims` those
//! that bring a server to a guideline.

pub mod aims;
pub(crate) mod capabilities;
mod identity;
pub mod inspection;
pub(crate) mod judged;
pub(crate) mod locate;
pub(crate) mod mending;
mod none_left;
pub(crate) mod outdated;
pub(crate) mod place;
mod restricting;
pub(crate) mod rivals;
pub(crate) mod settling;
mod shift;
pub(crate) mod survey;

/// The main files of the configurations in this evidence, in order.
pub fn main_files(evidence: &tlswhy_model::Evidence) -> Vec<String> {
    survey::Survey::of(evidence).configurations.into_iter().map(|configuration| configuration.main).collect()
}

pub use judged::once_mended;
pub use none_left::NoVersionLeft;
pub use outdated::{OutdatedSoftware, Versioned};
pub use place::Place;
pub use restricting::Restriction;
pub use rivals::ShadowedSetting;
pub(crate) use rivals::changes_the_server;
