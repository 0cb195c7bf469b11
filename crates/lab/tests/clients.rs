//! What is read in files of client programs, compared with the hellos that the real programs send.

use std::io::Write as _;

use tlswhy_lab::Lab;
use tlswhy_lab::clients::{cases, run};

#[test]
fn programs_offer_what_is_read_in_their_files() {
    let lab = Lab::new().unwrap();
    let cases = cases(&[]);
    assert!(!cases.is_empty());
    let ran = run(&lab, &cases, |one| {
        if let Some(why) = &one.skipped {
            // Not by the macro, whose output the test harness hides where a test passes.
            let _ = writeln!(std::io::stderr(), "skipped {}: {why}", one.id);
        }
    });
    let faults: Vec<String> = ran
        .unwrap()
        .iter()
        .flat_map(|one| one.differences.iter().map(|difference| format!("{}: {difference}; it said {}", one.id, one.said)))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
