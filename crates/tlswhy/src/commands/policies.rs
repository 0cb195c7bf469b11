//! The policies that a server is judged by: named, or in a file.

use std::path::Path;

use tlswhy_core::inventory::policy_from_toml;
use tlswhy_core::knowledge::policies::{Policy, policies, policy};

use super::judged::read_text;
use crate::exit::Failure;
use crate::nearest::nearest;

/// A policy that the user named: one of the table, or one in a file.
pub(super) fn named(name: &str) -> Result<Policy, Failure> {
    if let Some(policy) = policy(name) {
        return Ok(policy.clone());
    }
    let path = Path::new(name);
    if !name.contains(['/', '\\']) && !name.ends_with(".toml") && !path.is_file() {
        let known: Vec<&str> = policies().iter().map(|policy| policy.name.as_str()).collect();
        let tip = match nearest(name, known.iter().copied()).as_slice() {
            [] => format!("known are {}", known.join(", ")),
            near => format!("did you mean {}?", near.join(" or ")),
        };
        return Err(Failure::new(format!("no policy `{name}` is known, and there is no such file")).tip(tip));
    }
    let cannot_read = |why: String| Failure::new(format!("cannot read the policy {name}: {why}"));
    policy_from_toml(&read_text(path).map_err(cannot_read)?).map_err(cannot_read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_named_or_in_a_file_and_a_slip_gets_a_suggestion() {
        assert_eq!(named("mozilla-modern").unwrap().name, "modern");
        assert!(named("intermediat").unwrap_err().to_string().contains("did you mean intermediate"));
        assert!(named("./nothing.toml").unwrap_err().to_string().contains("./nothing.toml"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        std::fs::write(&path, "name = \"own\"\ntitle = \"Own\"\nrsa_bits = 4096\n").unwrap();
        assert_eq!(named(&path.display().to_string()).unwrap().rsa_bits, Some(4096));
    }
}
