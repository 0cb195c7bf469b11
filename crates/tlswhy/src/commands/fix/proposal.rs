//! What would be changed, and how it is shown.

use std::borrow::Cow;
use std::io;

use anstyle::Style;
use tlswhy_core::configuration::aims::{Aim, Course};
use tlswhy_core::knowledge::policies::{aims, policy};
use tlswhy_model::{Confidence, Edit, Exhibit, Finding, Impact, Party, Remedy, Safety, printable};

use crate::cli::Fix;
use crate::exit::Failure;
use crate::render::{ASIDE, HEADING, Page, words};

/// Column of text.
pub(super) const TEXT: usize = 2;
/// The family of causes that no version, suite or group mends.
const CERTIFICATE: &str = "certificate";

/// What would be changed.
pub(super) struct Proposal<'f> {
    /// A title, and what is known of its weight.
    pub(super) title: String,
    pub(super) aside: String,
    /// What it opens and closes, and for whom, each under its label.
    pub(super) points: Vec<(&'static str, String)>,
    /// The finding that it mends; `None` for the way to what the user named with `--to`.
    pub(super) finding: Option<&'f Finding>,
    pub(super) remedy: Cow<'f, Remedy>,
}

impl Proposal<'_> {
    /// The same with the commands that the user named in the place of the program's own.
    pub(super) fn with_commands(mut self, arguments: &Fix) -> Self {
        let words = |given: &str| match given {
            "none" => Vec::new(),
            given => given.split_whitespace().map(str::to_owned).collect(),
        };
        if let Some(given) = &arguments.check_command {
            self.remedy.to_mut().check = words(given);
        }
        if let Some(given) = &arguments.reload_command {
            self.remedy.to_mut().reload = words(given);
        }
        self
    }

    /// Whether it may be applied without being told to.
    pub(super) fn is_sure(&self) -> bool {
        self.finding.is_none_or(|finding| finding.confidence <= Confidence::Observed)
    }
}

/// What is to be done: the way to an aim, or what the findings propose.
pub(super) fn all<'f>(arguments: &Fix, course: Option<(&Aim, &Course)>, findings: &'f [Finding]) -> Vec<Proposal<'f>> {
    let proposals = match course {
        Some((aim, course)) => towards(aim, course, findings),
        None => proposals(findings),
    };
    proposals.into_iter().map(|proposal| proposal.with_commands(arguments)).collect()
}

/// The findings that edits mend, each with its best such remedy.
pub(super) fn proposals<'f>(findings: &'f [Finding]) -> Vec<Proposal<'f>> {
    let mendable = |remedy: &&Remedy| remedy.safety == Safety::Safe && !remedy.edits.is_empty();
    let proposal = |(finding, remedy): (&'f Finding, &'f Remedy)| Proposal {
        title: words::sentence(&finding.title),
        aside: format!("{}: {}", finding.cause, words::weight(finding)),
        points: Vec::new(),
        finding: Some(finding),
        remedy: Cow::Borrowed(remedy),
    };
    let mended = |finding: &'f Finding| Some((finding, finding.remedies.iter().find(mendable)?));
    findings.iter().filter_map(mended).map(proposal).collect()
}

/// What the user named with `--to`.
pub(super) fn aim(arguments: &Fix) -> Result<Option<Aim>, Failure> {
    let Some(name) = arguments.to.as_deref() else { return Ok(None) };
    if name == "client" {
        return Ok(Some(Aim::Client));
    }
    if let Some(policy) = policy(name).filter(|policy| policy.aim) {
        return Ok(Some(Aim::Policy(policy)));
    }
    let known: Vec<&str> = aims().map(|policy| policy.name.as_str()).chain(["client"]).collect();
    Err(Failure::new(format!("no guideline `{}` is known", printable(name, 60))).tip(format!("known are {}", known.join(", "))))
}

/// The way to an aim, as a proposal; what the findings propose besides is left out where the way goes through the same lines.
fn towards<'f>(aim: &Aim, course: &Course, findings: &'f [Finding]) -> Vec<Proposal<'f>> {
    let overlap = |a: &Edit, b: &Edit| a.path == b.path && a.start <= b.end && b.start <= a.end;
    // What the guideline says of versions, suites and groups takes the place of what a finding of those would do.
    let of_the_course = |finding: &Finding| finding.family != CERTIFICATE && finding.cause != "not-tls";
    let mut all = Vec::new();
    if !course.edits.is_empty() {
        all.push(Proposal {
            title: in_words(aim, course),
            aside: course.services.join(", "),
            points: points(course),
            finding: None,
            remedy: Cow::Owned(as_remedy(course)),
        });
    }
    let others = proposals(findings).into_iter().filter(|proposal| {
        let touches = proposal.remedy.edits.iter().any(|edit| course.edits.iter().any(|own| overlap(edit, own)));
        !touches && !proposal.finding.is_some_and(of_the_course)
    });
    all.extend(others);
    all
}

pub(super) fn in_words(aim: &Aim, course: &Course) -> String {
    match aim {
        Aim::Policy(policy) => {
            let old = if policy.withdrawn { ", which its authority no longer recommends" } else { "" };
            format!("{}{old}.", policy.title)
        }
        Aim::Client if course.opens.iter().any(|(_, weak)| *weak) => {
            "What this client needs; it weakens the server for all who connect to it.".to_owned()
        }
        Aim::Client => "What this client needs.".to_owned(),
    }
}

/// What a course opens and closes, and for whom.
fn points(course: &Course) -> Vec<(&'static str, String)> {
    let opens = |weak: bool| -> Vec<String> {
        course.opens.iter().filter(|(_, one)| *one == weak).map(|(what, _)| what.clone()).collect()
    };
    let refused = if course.connects == Some(false) { vec!["the judged client".to_owned()] } else { Vec::new() };
    let loses = [refused, course.loses.clone()].concat();
    [
        ("Weakens", opens(true).join(", "), "which nobody should use any more"),
        ("Opens", opens(false).join(", "), ""),
        ("Closes", course.closes.join(", "), ""),
        ("Gains", course.gains.join(", "), "which could not connect before"),
        ("Loses", loses.join(", "), "which will not connect"),
        ("Leaves", course.cannot.join("; "), ""),
    ]
    .into_iter()
    .filter(|(_, what, _)| !what.is_empty())
    .map(|(label, what, why)| (label, if why.is_empty() { what } else { format!("{what}: {why}") }))
    .collect()
}

fn as_remedy(course: &Course) -> Remedy {
    let weakens = course.opens.iter().any(|(_, weak)| *weak);
    Remedy {
        party: Party::Server,
        safety: if weakens { Safety::Weakens } else { Safety::Safe },
        summary: String::new(),
        steps: Vec::new(),
        edits: course.edits.clone(),
        check: course.check.clone(),
        reload: course.reload.clone(),
        why_it_works: String::new(),
        predicts: course.predicts.clone(),
    }
}

/// The patches in words and as diffs.
pub(super) fn show(
    page: &mut Page<'_>,
    proposals: &[Proposal<'_>],
    findings: &[Finding],
    course: Option<&Course>,
    applies: bool,
    is_open: bool,
) -> io::Result<()> {
    for proposal in proposals {
        let remedy = &proposal.remedy;
        page.blank()?;
        page.paragraph(0, HEADING, &proposal.title)?;
        page.paragraph(0, ASIDE, &proposal.aside)?;
        if !remedy.summary.is_empty() {
            page.paragraph(TEXT, Style::new(), &words::remedy(remedy))?;
        }
        for (label, text) in &proposal.points {
            page.labelled(TEXT, label, HEADING, TEXT + 10, text)?;
        }
        for edit in &remedy.edits {
            page.command(TEXT, &edit.diff)?;
        }
        if !remedy.why_it_works.is_empty() {
            page.paragraph(TEXT, Style::new(), &words::sentence(&format!("Why it works: {}", remedy.why_it_works)))?;
        }
        if let Some(after) = remedy.predicts.as_ref().and_then(words::prediction) {
            page.paragraph(TEXT, Style::new(), &words::sentence(&format!("Then: {after}")))?;
        }
        for (label, command) in [("Validate", &remedy.check), ("Reload", &remedy.reload)] {
            if !command.is_empty() {
                page.labelled(TEXT, label, HEADING, TEXT + 10, &command.join(" "))?;
            }
        }
    }
    let by_hand: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.impact == Impact::Blocks)
        .filter(|finding| !proposals.iter().any(|proposal| proposal.finding.is_some_and(|own| std::ptr::eq(own, *finding))))
        // With it the judged client connects: what stopped it is seen to.
        .filter(|finding| finding.family == CERTIFICATE || course.is_none_or(|course| course.connects != Some(true)))
        .collect();
    if let Some(course) = course.filter(|course| course.edits.is_empty()) {
        page.blank()?;
        let nothing = if course.cannot.is_empty() {
            "The configuration is there already.".to_owned()
        } else {
            format!("It cannot be brought there: {}.", course.cannot.join("; "))
        };
        page.paragraph(0, HEADING, &nothing)?;
    }
    for finding in &by_hand {
        page.blank()?;
        page.paragraph(0, HEADING, &words::sentence(&finding.title))?;
        page.paragraph(0, ASIDE, &format!("{}: {}", finding.cause, words::weight(finding)))?;
        let remedy = finding.remedies.first();
        let summary = remedy.map(words::remedy).unwrap_or_default();
        page.paragraph(TEXT, Style::new(), &format!("No edit of the files that were read mends this. {summary}"))?;
        for exhibit in &finding.exhibits {
            if let Exhibit::File { path, line, says, .. } = exhibit {
                page.labelled(TEXT, "Line", HEADING, TEXT + 10, &words::sentence(&format!("{path}:{line}: {says}")))?;
            }
        }
        for step in remedy.into_iter().flat_map(|remedy| &remedy.steps) {
            page.labelled(TEXT, "By hand", HEADING, TEXT + 10, &words::sentence(step))?;
        }
    }
    page.blank()?;
    let last = match (proposals.is_empty(), by_hand.is_empty(), applies) {
        (true, true, _) if is_open => {
            "No edit is proposed for what is not known; `tlswhy check` with the same options shows the open questions."
        }
        (true, true, _) => "Nothing is to be mended.",
        (true, false, _) => "No edit is proposed.",
        (false, _, true) => return Ok(()),
        (false, _, false) => "Nothing was changed. `--apply` does it, asks again, and takes it back if it did not help.",
    };
    page.paragraph(0, ASIDE, last)
}
