//! A report as Markdown, for tickets; and Markdown as plain text, for terminals.

use std::io::{self, Write};

use tlswhy_model::{Attempt, Finding, Report};

use super::page::{CODE, HEADING, Page};
use super::wrap::spans;
use super::{Options, Position, chain, changes, drawing, is_about_certificates, policies, server, shown, words};

/// Writes the report as CommonMark (the client table is GitHub's extension).
pub(super) fn write(
    report: &Report,
    attempts: &[Attempt],
    position: Position,
    options: Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    if !position.first {
        writeln!(out, "\n---\n")?;
    }
    writeln!(out, "# {}: {}\n", words::outcome(report.outcome), inline(&words::sentence(&report.summary)))?;
    writeln!(out, "{}; {}\n", prose(&words::subject(&report.subject)), prose(&report.taken_at))?;
    if let Some(view) = &report.changes {
        writeln!(out, "## Changes\n")?;
        fence("text", &changes::plain(view), out)?;
        if !options.verbose {
            return writeln!(out, "{}", prose(&words::cost(&report.cost)));
        }
    }
    for (index, finding) in report.findings.iter().enumerate() {
        write_finding(report, index, finding, out)?;
    }
    for path in &report.paths {
        writeln!(out, "## Path to {}\n\n| Hop | |\n|---:|---|", inline(&path.address))?;
        for row in words::path(path) {
            writeln!(out, "| {} | {} |", cell(&row.label), cell(&row.says))?;
        }
        writeln!(out, "\n{}\n", prose(&path.says))?;
    }
    if let Some(view) = &report.chain
        && (options.verbose || is_about_certificates(report))
    {
        writeln!(out, "## Certificates\n")?;
        fence("text", &chain::plain(&drawing(view, options.verbose)), out)?;
    }
    if let Some(view) = &report.server {
        writeln!(out, "## What the server accepts\n")?;
        fence("text", &server::plain(view, options.verbose), out)?;
    }
    if !report.policies.is_empty() {
        writeln!(out, "## Policies\n")?;
        fence("text", &policies::plain(&report.policies, options.verbose), out)?;
    }
    if !report.addresses.is_empty() {
        writeln!(out, "## Addresses\n\n| Address | Outcome | Cause | |\n|---|---|---|---|")?;
        for address in &report.addresses {
            let cause = address.root_cause.as_deref().unwrap_or_default();
            let outcome = words::client_outcome(address.outcome);
            writeln!(out, "| {} | {outcome} | {} | {} |", cell(&address.address), cell(cause), cell(&address.says))?;
        }
        writeln!(out)?;
    }
    if !report.open_questions.is_empty() {
        writeln!(out, "## Open questions\n")?;
        for question in &report.open_questions {
            writeln!(out, "- {}\n  How: {}", item(&words::question(question)), item(&question.how))?;
        }
        writeln!(out)?;
    }
    if !report.notices.is_empty() {
        writeln!(out, "## Worth knowing\n")?;
        for notice in &report.notices {
            writeln!(out, "- {}", item(&words::sentence(&notice.says)))?;
        }
        writeln!(out)?;
    }
    if let Some(line) = words::clients(&report.clients) {
        writeln!(out, "## Clients\n\n{}\n\n| Client | Outcome | |\n|---|---|---|", prose(&line))?;
        for client in &report.clients {
            let outcome = words::client_outcome(client.outcome);
            writeln!(out, "| {} | {outcome} | {} |", cell(&client.name), cell(&words::client_detail(client)))?;
        }
        writeln!(out)?;
    }
    if options.verbose && !attempts.is_empty() {
        writeln!(out, "## Attempts\n\n| | Asked | Ended | |\n|---:|---|---|---:|")?;
        for attempt in attempts {
            let (asked, ended) = (cell(&words::asked(attempt)), cell(&words::ended(attempt)));
            writeln!(out, "| {} | {asked} | {ended} | {} |", attempt.id, words::took(attempt))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", prose(&words::cost(&report.cost)))
}

fn write_finding(report: &Report, index: usize, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## {}. {}\n", finding.order, inline(&finding.title))?;
    writeln!(out, "{}: {}\n", code(&finding.cause), words::weight(finding))?;
    if !finding.affects.is_empty() {
        writeln!(out, "Concerns {}.\n", prose(&finding.affects.join(", ")))?;
    }
    writeln!(out, "**Seen.** {}\n", prose(&finding.diagnosis))?;
    for exhibit in &finding.exhibits {
        writeln!(out, "- {}", item(&words::exhibit(exhibit)))?;
    }
    if !finding.exhibits.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "**Why.** {}\n", prose(&words::sentence(&finding.why_it_fails)))?;
    if !finding.explains.is_empty() {
        writeln!(out, "This explains {} too.\n", prose(&finding.explains.join(", ")))?;
    }
    for (place, remedy) in finding.remedies.iter().enumerate() {
        let label = if place == 0 { "Fix" } else { "Or" };
        writeln!(out, "**{label}.** {}\n", prose(&words::remedy(remedy)))?;
        for step in &remedy.steps {
            writeln!(out, "- {}", item(step))?;
        }
        if !remedy.steps.is_empty() {
            writeln!(out)?;
        }
        for edit in &remedy.edits {
            fence("diff", &edit.diff, out)?;
        }
        let commands: Vec<_> = [&remedy.check, &remedy.reload]
            .into_iter()
            .filter(|command| !command.is_empty())
            .map(|command| command.join(" "))
            .collect();
        if !commands.is_empty() {
            fence("sh", &commands.join("\n"), out)?;
        }
        writeln!(out, "Why it works: {}\n", prose(&words::sentence(&remedy.why_it_works)))?;
    }
    if let Some(next) = words::next(report, index) {
        writeln!(out, "**Next.** {}\n", prose(&next))?;
    }
    if !finding.reproduce.is_empty() {
        writeln!(out, "By hand:\n")?;
        fence("sh", &finding.reproduce.join("\n"), out)?;
    }
    if !finding.references.is_empty() {
        writeln!(out, "References: {}\n", prose(&finding.references.join(", ")))?;
    }
    Ok(())
}

/// Prose: what stands between backticks stays code, everything else that Markdown would obey is escaped.
pub(super) fn prose(text: &str) -> String {
    let lines: Vec<_> = shown(text).lines().map(line).collect();
    lines.join("\n")
}

/// The same on one line, for headings.
fn inline(text: &str) -> String {
    prose(text).replace('\n', " ")
}

fn line(text: &str) -> String {
    let pieces = spans(text.trim()).into_iter().map(|span| if span.code { code(&span.text) } else { escape(&span.text) });
    let mut line: String = pieces.collect();
    // What would begin a heading, a list or a rule at the start of a line.
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if line.starts_with(['#', '-', '+', '=']) {
        line.insert(0, '\\');
    } else if digits > 0 && line[digits..].starts_with(['.', ')']) {
        line.insert(digits, '\\');
    }
    line
}

/// The same inside of a list item: further lines belong to it.
pub(super) fn item(text: &str) -> String {
    prose(text).replace('\n', "\n  ")
}

/// The same inside of a table: no line breaks, and a pipe would end the cell even in code.
fn cell(text: &str) -> String {
    prose(text).replace('\n', " ").replace("\\|", "|").replace('|', "\\|")
}

/// Characters that mean something inside of a line of Markdown or HTML.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        // Inside of a word an underscore is no mark of emphasis (CommonMark §6.2), and most are there.
        let in_word = before.is_alphanumeric() && letters.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '_' if in_word => escaped.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '>' => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
        before = c;
    }
    escaped
}

/// A code span; its fence is longer than any run of backticks in it.
pub(super) fn code(text: &str) -> String {
    let text = shown(text).replace('\n', " ");
    let fence = "`".repeat(longest_run(&text) + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

/// A fenced code block.
pub(super) fn fence(language: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let text = shown(text);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    writeln!(out, "{fence}{language}\n{text}\n{fence}\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Markdown of our own pages for a terminal: headings stand out, lists keep their indent, code stays as it is, links lose their
/// brackets.
pub(crate) fn plain(markdown: &str, page: &mut Page<'_>) -> io::Result<()> {
    let mut paragraph = String::new();
    let mut indent = 0;
    let mut label = String::new();
    let mut fence: Option<&str> = None;
    let mut lines = markdown.lines().peekable();
    // The first line of a page is its title, with a mark or without.
    if let Some(title) = lines.next() {
        page.paragraph(0, HEADING, title.trim_start_matches('#').trim())?;
    }
    while let Some(line) = lines.next() {
        let text = line.trim_start();
        if let Some(opened) = fence {
            if text.starts_with(opened) {
                fence = None;
            } else {
                page.command(4, line)?;
            }
            continue;
        }
        let starts_block = text.is_empty()
            || text.starts_with("```")
            || text.starts_with('#')
            || text.starts_with('|')
            || bullet(text).is_some();
        if starts_block {
            flush(page, &mut paragraph, &mut label, indent)?;
        }
        if text.starts_with("```") {
            fence = Some("```");
        } else if text.is_empty() {
            page.blank()?;
        } else if text.starts_with('#') {
            page.paragraph(0, HEADING, text.trim_start_matches('#').trim())?;
        } else if text.starts_with('|') {
            page.command(0, text)?;
        } else {
            let depth = line.len() - text.len();
            match bullet(text) {
                Some((mark, rest)) => {
                    label = format!("{:depth$}{mark}", "");
                    indent = depth + mark.len() + 1;
                    paragraph = links(rest);
                }
                None => {
                    if paragraph.is_empty() {
                        indent = depth;
                    } else {
                        paragraph.push(' ');
                    }
                    paragraph.push_str(&links(text));
                }
            }
        }
        if lines.peek().is_none() {
            flush(page, &mut paragraph, &mut label, indent)?;
        }
    }
    Ok(())
}

fn flush(page: &mut Page<'_>, paragraph: &mut String, label: &mut String, indent: usize) -> io::Result<()> {
    let (text, mark) = (std::mem::take(paragraph), std::mem::take(label));
    match (text.is_empty(), mark.is_empty()) {
        (true, _) => Ok(()),
        (false, true) => page.paragraph(indent, anstyle::Style::new(), &text),
        (false, false) => page.labelled(0, &mark, CODE, indent, &text),
    }
}

/// The mark of a list item and what follows it.
fn bullet(text: &str) -> Option<(&str, &str)> {
    let (mark, rest) = text.split_once(' ')?;
    let numbered =
        mark.strip_suffix('.').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    (matches!(mark, "-" | "*") || numbered).then_some((mark, rest.trim_start()))
}

/// Links as `text (address)`, addresses in angle brackets bare, no marks of emphasis.
fn links(text: &str) -> String {
    let mut shown = String::new();
    for span in spans(text) {
        if span.code {
            shown.push_str(&format!("`{}`", span.text));
        } else {
            shown.push_str(&without_links(&span.text.replace("**", "")));
        }
    }
    shown
}

fn without_links(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['[', '<']) {
        let (before, link) = rest.split_at(at);
        shown.push_str(before);
        let named = || {
            let (name, behind) = link.strip_prefix('[')?.split_once("](")?;
            let (address, behind) = behind.split_once(')')?;
            Some((format!("{name} ({address})"), behind))
        };
        let bare = || {
            let (address, behind) = link.strip_prefix('<')?.split_once('>')?;
            address.starts_with("http").then(|| (address.to_owned(), behind))
        };
        let (text, behind) = named().or_else(bare).unwrap_or_else(|| {
            let (bracket, behind) = link.split_at(1);
            (bracket.to_owned(), behind)
        });
        shown.push_str(&text);
        rest = behind;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(markdown: &str) -> String {
        let mut out = Vec::new();
        plain(markdown, &mut Page::new(&mut out, 40)).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn nothing_from_outside_becomes_markup() {
        assert_eq!(
            prose("# <b>*x*</b> [a](b) | `c|d` ~~e~~"),
            "\\# &lt;b\\>\\*x\\*&lt;/b\\> \\[a\\](b) \\| `c|d` \\~\\~e\\~\\~"
        );
        assert_eq!(prose("- no list\n1. none either"), "\\- no list\n1\\. none either");
        assert_eq!(prose("TLS_AES _x_ a_"), "TLS_AES \\_x\\_ a\\_");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(cell("a|b\n`c|d`"), "a\\|b `c\\|d`");
    }

    #[test]
    fn pages_become_plain_text() {
        let text = terminal(
            "# Title\n\nOne [link](https://x.test)\nand **bold**.\n\n- a long item that goes over one line\n  of text\n2. two\n\n```sh\nopenssl s_client -connect a.test:443 -x\n```\n<https://y.test>",
        );
        let expected = "Title\n\nOne link (https://x.test) and bold.\n\n- a long item that goes over one line of\n  text\n2. two\n\n    openssl s_client -connect a.test:443 -x\nhttps://y.test\n";
        assert_eq!(text, expected);
    }
}
