//! All scenarios, in one list.

use std::sync::LazyLock;

use crate::scenario::Scenario;

mod certificates;
mod ciphers;
mod configurations;
mod healthy;
mod intolerance;
mod layered;
mod reach;
mod refusals;
mod software;
mod upgrades;
mod versions;

/// Every scenario; ids are unique.
pub static SCENARIOS: LazyLock<Vec<&'static Scenario>> = LazyLock::new(|| {
    let lists: Vec<&'static [Scenario]> = vec![
        versions::SCENARIOS,
        software::SCENARIOS,
        intolerance::SCENARIOS,
        ciphers::SCENARIOS,
        configurations::SCENARIOS,
        refusals::SCENARIOS,
        upgrades::SCENARIOS,
        reach::SCENARIOS,
        certificates::CHAINS,
        certificates::TIMES,
        certificates::NAMES,
        certificates::TRUST,
        certificates::STRENGTH,
        certificates::TOGETHER,
        certificates::IDENTITIES,
        certificates::REVOCATION,
        layered::SCENARIOS,
        healthy::SCENARIOS,
    ];
    lists.into_iter().flatten().collect()
});
