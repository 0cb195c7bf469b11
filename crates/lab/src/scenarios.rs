//! All scenarios, in one list.

use std::sync::LazyLock;

use crate::scenario::Scenario;

mod ciphers;
mod healthy;
mod intolerance;
mod layered;
mod reach;
mod refusals;
mod upgrades;
mod versions;

/// Every scenario; ids are unique.
pub static SCENARIOS: LazyLock<Vec<&'static Scenario>> = LazyLock::new(|| {
    let lists: [&'static [Scenario]; 8] = [
        versions::SCENARIOS,
        intolerance::SCENARIOS,
        ciphers::SCENARIOS,
        refusals::SCENARIOS,
        upgrades::SCENARIOS,
        reach::SCENARIOS,
        layered::SCENARIOS,
        healthy::SCENARIOS,
    ];
    lists.into_iter().flatten().collect()
});
