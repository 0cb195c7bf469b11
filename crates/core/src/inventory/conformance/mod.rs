//! Whether what a server accepts is what a policy wants, rule by rule. What stayed untested fails nothing and passes nothing.

mod rules;
mod tally;

use tlswhy_model::{Acceptance, PolicyView, RuleResult, RuleView, ServerView};

use super::weaknesses;
use crate::knowledge::policies::{self, Policy};
use rules::RULES;
use tally::Tally;

/// Reads a policy of the user's own.
pub fn policy_from_toml(text: &str) -> Result<Policy, String> {
    let policy = policies::policy_from_toml(text)?;
    // A code that no suite can have would forbid nothing.
    if let Some(unknown) = policy.weaknesses_forbidden.iter().find(|code| !weaknesses::of_suites().any(|known| known == *code))
    {
        let known: Vec<&str> = weaknesses::of_suites().collect();
        return Err(format!("weaknesses_forbidden: no weakness is called `{unknown}`; known are {}", known.join(", ")));
    }
    if RULES.iter().all(|rule| rule(&policy, &ServerView::default()).is_none()) {
        return Err("it wants nothing that could be judged".to_owned());
    }
    Ok(policy)
}

/// Judges what a server accepts by a policy; `None`: there is no inventory of it.
pub fn conformance(policy: &Policy, server: Option<&ServerView>) -> PolicyView {
    let nothing = ServerView::default();
    let server = server.unwrap_or(&nothing);
    let speaks = server.versions.iter().any(|found| found.acceptance == Acceptance::Accepted);
    let judged = RULES.iter().filter_map(|rule| rule(policy, server)).map(|(rule, wants, tally)| {
        let tally = if speaks { tally } else { Tally::open("no version was seen to be accepted".to_owned()) };
        tally.into_rule(rule, wants)
    });
    let rules: Vec<RuleView> = judged.collect();
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    PolicyView {
        name: policy.name.clone(),
        title: policy.title.clone(),
        source: some(&policy.source),
        date: some(&policy.date),
        withdrawn: policy.withdrawn,
        result: rules.iter().map(|rule| rule.result).max().unwrap_or(RuleResult::NotJudged),
        rules,
        beyond: policy.beyond.clone(),
    }
}

#[cfg(test)]
mod tests {
    use tlswhy_model::{AcceptedValue, CertificateView, OrderView, PrimeView, ShownCertificate, ValuesView, VersionView};
    use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

    use super::*;
    use crate::knowledge::policies::{policies, policy};

    const GOOD: &str = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";

    fn values(names: &[&str]) -> ValuesView {
        let value = |(at, name): (usize, &&str)| AcceptedValue {
            name: (*name).to_owned(),
            attempt: 10 + at as u32,
            weaknesses: weaknesses::of_name(name).into_iter().map(str::to_owned).collect(),
        };
        ValuesView { accepted: names.iter().enumerate().map(value).collect(), refused_in: Some(40), ..ValuesView::default() }
    }

    fn version(version: ProtocolVersion, acceptance: Acceptance, suites: &[&str]) -> VersionView {
        let groups: &[&str] = if suites.is_empty() { &[] } else { &["x25519", "secp256r1"] };
        VersionView {
            version,
            acceptance,
            attempt: Some(1),
            says: None,
            cipher_suites: values(suites),
            suite_order: Some(OrderView::Client),
            chacha_first: None,
            groups: values(groups),
            signature_schemes: values(&[]),
        }
    }

    /// A server as Mozilla's intermediate policy wants it.
    fn server() -> ServerView {
        let off = |name| version(name, Acceptance::Refused, &[]);
        let certificate = CertificateView {
            sha256: "ab".to_owned(),
            subject: "CN=good".to_owned(),
            key: "RSA-2048".to_owned(),
            signature: "sha256WithRSAEncryption".to_owned(),
            ..CertificateView::default()
        };
        ServerView {
            versions: vec![
                version(ProtocolVersion::TLSV1_3, Acceptance::Accepted, &["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]),
                version(ProtocolVersion::TLSV1_2, Acceptance::Accepted, &[GOOD, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]),
                off(ProtocolVersion::TLSV1_1),
                off(ProtocolVersion::TLSV1_0),
                off(ProtocolVersion::SSLV3),
                off(ProtocolVersion::SSLV2),
            ],
            certificates: vec![ShownCertificate { attempt: 2, certificate }],
            ..ServerView::default()
        }
    }

    fn judged(name: &str, server: &ServerView) -> PolicyView {
        conformance(policy(name).unwrap(), Some(server))
    }

    /// The rules with this result.
    fn with(view: &PolicyView, result: RuleResult) -> Vec<&str> {
        view.rules.iter().filter(|rule| rule.result == result).map(|rule| rule.rule.as_str()).collect()
    }

    fn rule<'v>(view: &'v PolicyView, name: &str) -> &'v RuleView {
        view.rules.iter().find(|rule| rule.rule == name).unwrap()
    }

    #[test]
    fn what_is_as_wanted_passes_and_the_stricter_policy_fails_by_its_rules() {
        let intermediate = judged("intermediate", &server());
        assert_eq!(intermediate.result, RuleResult::Pass, "{:#?}", intermediate.rules);
        let modern = judged("modern", &server());
        assert_eq!(with(&modern, RuleResult::Fail), ["versions", "certificate-keys", "certificate-signatures"]);
        assert_eq!(rule(&modern, "versions").values, ["TLSv1.2"]);
        assert_eq!(rule(&modern, "certificate-keys").certificates, ["ab"]);
    }

    #[test]
    fn what_stayed_untested_passes_nothing_and_fails_nothing() {
        let mut server = server();
        server.versions[3].acceptance = Acceptance::Untested;
        server.versions[1].cipher_suites.untested = vec!["TLS_RSA_WITH_RC4_128_SHA".to_owned(), GOOD.to_owned()];
        server.versions[0].suite_order = None;
        server.certificates.clear();
        let view = judged("intermediate", &server);
        assert_eq!(view.result, RuleResult::NotJudged);
        let open = with(&view, RuleResult::NotJudged);
        assert_eq!(
            open,
            ["versions", "cipher-suites", "suite-order", "certificate-keys", "rsa-bits", "certificate-signatures"]
        );
        assert_eq!(rule(&view, "cipher-suites").values, ["TLS_RSA_WITH_RC4_128_SHA at TLSv1.2 (untested)"]);
        let pci = judged("pci-dss-4.0.1", &server);
        assert_eq!(rule(&pci, "weak-cipher-suites").result, RuleResult::NotJudged);
    }

    #[test]
    fn a_failing_rule_names_the_values_and_the_attempts_that_show_them() {
        let mut server = server();
        server.versions[1].cipher_suites = values(&[GOOD, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"]);
        server.smallest_prime = Some(PrimeView { bits: 1024, attempt: 7, ..PrimeView::default() });
        let view = judged("intermediate", &server);
        let suites = rule(&view, "cipher-suites");
        assert_eq!((suites.result, suites.attempts.as_slice()), (RuleResult::Fail, [11, 12].as_slice()));
        assert_eq!(
            (rule(&view, "dh-bits").result, rule(&view, "dh-bits").attempts.as_slice()),
            (RuleResult::Fail, [7].as_slice())
        );
        let pci = judged("pci-dss-4.0.1", &server);
        assert_eq!(with(&pci, RuleResult::Fail), ["weak-cipher-suites", "dh-bits"]);
        assert_eq!(rule(&pci, "weak-cipher-suites").values, ["TLS_RSA_WITH_3DES_EDE_CBC_SHA at TLSv1.2 (64-bit-block)"]);
    }

    #[test]
    fn what_a_document_leaves_to_the_case_is_not_judged() {
        let view = judged("nist-800-52r2", &server());
        assert_eq!(with(&view, RuleResult::NotJudged), ["groups"], "{:#?}", view.rules);
        assert_eq!(rule(&view, "groups-one-of").result, RuleResult::Pass);
        assert!(rule(&view, "groups").says.contains("x25519 at TLSv1.3 (left to the case)"));
    }

    #[test]
    fn cipher_kinds_of_sslv2_are_on_no_list_and_pass_for_nothing() {
        let mut server = server();
        server.versions[5] = version(ProtocolVersion::SSLV2, Acceptance::Accepted, &["SSL_CK_RC4_128_EXPORT40_WITH_MD5"]);
        assert_eq!(with(&judged("intermediate", &server), RuleResult::Fail), ["versions", "cipher-suites"]);
        let own = policy_from_toml("name = \"own\"\ntitle = \"Own\"\nweaknesses_forbidden = [\"export\"]\n").unwrap();
        assert_eq!(conformance(&own, Some(&server)).result, RuleResult::NotJudged);
    }

    #[test]
    fn without_a_handshake_nothing_is_judged() {
        for server in [None, Some(&ServerView::default())] {
            let view = conformance(policy("intermediate").unwrap(), server);
            assert!(view.rules.iter().all(|rule| rule.result == RuleResult::NotJudged), "{:#?}", view.rules);
        }
    }

    #[test]
    fn a_policy_of_the_users_own_is_read_and_one_that_could_not_judge_is_refused() {
        let own = policy_from_toml("name = \"own\"\ntitle = \"Our own\"\ngroups_one_of = [\"secp521r1\"]\n").unwrap();
        assert_eq!(conformance(&own, Some(&server())).result, RuleResult::NotJudged);
        let mut refusing = server();
        for version in &mut refusing.versions {
            version.groups.refused = vec!["secp521r1".to_owned()];
        }
        assert_eq!(conformance(&own, Some(&refusing)).result, RuleResult::Fail);
        for (text, word) in [
            ("name = \"x\"\ntitle = \"x\"", "nothing that could be judged"),
            ("name = \"x\"\ntitle = \"x\"\nweaknesses_forbidden = [\"rc-4\"]", "`rc-4`"),
            ("name = \"x\"\ntitle = \"x\"\ncipher_suites = [\"TLS_NONSENSE\"]", "TLS_NONSENSE"),
            ("name = \"x\"\ntitle = \"x\"\nversion = [\"TLSv1.2\"]", "line 3: unknown field `version`"),
        ] {
            let error = policy_from_toml(text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn names_in_the_table_are_those_of_reports() {
        let is_named = |name: &str| {
            let as_is = |shown: Option<String>| shown.is_some_and(|shown| shown == name);
            as_is(name.parse::<CipherSuite>().ok().map(|value| value.to_string()))
                || as_is(name.parse::<NamedGroup>().ok().map(|value| value.to_string()))
                || as_is(name.parse::<SignatureScheme>().ok().map(|value| value.to_string()))
                || as_is(name.parse::<ProtocolVersion>().ok().map(|value| value.to_string()))
                || crate::chain::names_of_keys_and_signatures().any(|known| known == name)
        };
        for policy in policies() {
            let lists = [&policy.undecided, &policy.phase_out, &policy.certificate_keys, &policy.certificate_signatures];
            for name in lists.into_iter().flatten() {
                assert!(is_named(name), "{}: {name}", policy.name);
            }
            assert!(policy.phase_out.iter().all(|name| !policy.undecided.contains(name)), "{}", policy.name);
        }
    }
}
