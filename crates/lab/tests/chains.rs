//! What the chain engine predicts of real clients, against what they were seen to do.

use tlswhy_lab::chains::{Chains, command, predict};

/// The recorded verdicts: needs `openssl` alone. `tlswhy-lab chains` runs the clients themselves.
#[test]
fn predictions_agree_with_what_was_measured_or_the_list_says_why_not() {
    let chains = Chains::made().unwrap();
    let compared = predict::compare(&chains.cases, &predict::recorded());
    assert!(command::print(&compared), "a mismatch without a reason: explain it in mismatches.txt or mend it");
    assert_eq!(predict::stale(&compared), Vec::<String>::new(), "these entries of mismatches.txt fit no mismatch");
}
