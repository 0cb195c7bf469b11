//! `tlswhy-lab clients`: the generated files, and what the programs send, as a table.
#![expect(clippy::print_stdout, reason = "a command for developers")]

use super::mended::{self, MENDINGS};
use super::{Ran, cases, run as run_cases};
use crate::runner::find_binary;
use crate::server::{Lab, StartError};

/// Runs the cases of these dialects, or whose ids begin so, or with `mended` what is mended; `false` where something differs.
///
/// # Errors
/// The certificates cannot be made, or a case cannot be put on the disk.
pub fn run(words: &[String]) -> Result<bool, StartError> {
    let lab = Lab::new().map_err(StartError::of)?;
    if words.first().is_some_and(|word| word == "mended") {
        return mend(&lab);
    }
    let ran = run_cases(&lab, &cases(words), print)?;
    let skipped = ran.iter().filter(|one| one.skipped.is_some()).count();
    let differ = ran.iter().filter(|one| !one.differences.is_empty()).count();
    println!("{} files: {skipped} skipped, {differ} differ", ran.len());
    Ok(differ == 0)
}

/// The files that are mended, and the real programs before and after.
fn mend(lab: &Lab) -> Result<bool, StartError> {
    let binary = find_binary()?;
    let mut good = true;
    for mending in MENDINGS {
        let wrong = mended::run(lab, &binary, mending)?;
        println!("{:<44} {}", mending.id, if wrong.is_empty() { "mended" } else { "✗" });
        wrong.iter().for_each(|line| println!("    ✗ {line}"));
        good &= wrong.is_empty();
    }
    Ok(good)
}

fn print(ran: &Ran) {
    let text = match (&ran.skipped, &ran.offer) {
        (Some(why), _) => format!("skipped: {why}"),
        (None, None) => format!("no hello: {}", ran.said.trim().lines().next().unwrap_or_default()),
        (None, Some(offer)) => {
            let versions: Vec<String> = offer.versions.iter().map(ToString::to_string).collect();
            format!("{}; {} suites, {} groups", versions.join(" "), offer.suites.len(), offer.groups.len())
        }
    };
    println!("{:<44} {text}", ran.id);
    ran.differences.iter().for_each(|difference| println!("    ✗ {difference}"));
}
