//! What the files of client programs are said to mean, compared with the hellos that the real programs send.
//!
//! A [`Case`] is a generated file with the command that makes a program read it and connect to the first port; its first hello is
//! compared with what `tlswhy-config` reads in the same file. Where its first look names a protocol, that is spoken before.
//!
//! ```text
//! cargo run -p tlswhy-lab -- clients [DIALECT|ID…]
//! ```

mod cases;
pub mod command;
mod databases;
mod gnutls;
mod greeting;
mod hello;
mod java;
mod mail;
pub mod mended;
mod predict;
mod runtimes;

pub use cases::{cases, short};
pub use hello::Offer;
pub use predict::{Expected, expected, reading};

use crate::configs::Case;
use crate::server::{Lab, StartError, find_program};

/// What came of a case.
#[derive(Debug)]
pub struct Ran {
    /// The case.
    pub id: String,
    /// Why it was not run.
    pub skipped: Option<String>,
    /// What the program sent; `None` where it sent no hello.
    pub offer: Option<Offer>,
    /// What it printed.
    pub said: String,
    /// Where that is not what was read.
    pub differences: Vec<String>,
}

/// Runs cases one after the other.
///
/// # Errors
/// A case cannot be put on the disk, or its files not be read.
pub fn run(lab: &Lab, cases: &[Case], mut each: impl FnMut(&Ran)) -> Result<Vec<Ran>, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::of)?;
    let mut all = Vec::new();
    for case in cases {
        let ran = one(lab, case, &runtime)?;
        each(&ran);
        all.push(ran);
    }
    Ok(all)
}

fn one(lab: &Lab, case: &Case, runtime: &tokio::runtime::Runtime) -> Result<Ran, StartError> {
    let mut ran = Ran { id: case.id.clone(), skipped: None, offer: None, said: String::new(), differences: Vec::new() };
    let missing = case.needs.iter().find(|path| !std::path::Path::new(path).exists());
    if let Some(missing) = missing.copied().or_else(|| find_program(case.program).is_none().then_some(case.program)) {
        ran.skipped = Some(format!("no {missing}"));
        return Ok(ran);
    }
    let placed = case.place(lab)?;
    let (offer, said) = hello::of(case, &placed).map_err(StartError::of)?;
    let expected = expected(case, &placed, runtime).map_err(StartError::Failed)?;
    ran.differences = expected.differences(offer.as_ref());
    (ran.offer, ran.said) = (offer, said);
    Ok(ran)
}
