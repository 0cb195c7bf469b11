//! What the dialects of client programs share: homes, a service that connects, and the edits of a range of versions.

use std::sync::Arc;

use tlswhy_wire::ProtocolVersion;

use crate::dialects::Context;
use crate::files::Files;
use crate::mend::{CannotMend, Patch, line_end};
use crate::release::Release;
use crate::service::{Heeds, Library, Service, Side};
use crate::setting::{Setting, Settings, Shadowed};
use crate::span::{Origin, Span};

/// The home directory below which a path lies: `/root`, or `/home/NAME`.
pub(super) fn home(path: &str) -> Option<&str> {
    if path.starts_with("/root/") {
        return Some("/root");
    }
    let name = path.strip_prefix("/home/")?.split('/').next().filter(|name| !name.is_empty())?;
    path.get(.."/home/".len() + name.len()).filter(|home| home.len() < path.len())
}

/// A client's service without settings of its own.
pub(super) fn service(dialect: &'static str, title: String, program: (&str, Option<Release>), library: Library) -> Service {
    Service {
        dialect,
        side: Side::Client,
        title,
        listeners: Vec::new(),
        names: Vec::new(),
        names_from_certificates: false,
        declared: None,
        upgrade: None,
        program: (program.0.to_owned(), program.1),
        library,
        heeds: Heeds::NOTHING,
        settings: Settings::default(),
        notes: Vec::new(),
    }
}

/// A program with its version, for the origin of what it does by itself.
pub(super) fn by(program: &str, release: Option<Release>) -> String {
    release
        .map_or_else(|| format!("{program} (version not known, taken for a new one)"), |release| format!("{program} {release}"))
}

/// The last of these counts; those before it are shadowed. Those of the same main file were written to count; what a user's file
/// replaces of the system's was not.
pub(super) fn last<T>(settings: impl IntoIterator<Item = Setting<T>>, why: &str) -> Option<Setting<T>> {
    let mut settings: Vec<Setting<T>> = settings.into_iter().collect();
    let mut ruling = settings.pop()?;
    for earlier in settings.into_iter().rev() {
        let same = root(&earlier.origin) == root(&ruling.origin);
        ruling.shadow([shadowed(&earlier, why, same)]);
        // What it had shadowed itself stays so.
        ruling.shadow(earlier.shadowed);
    }
    Some(ruling)
}

/// The main file through which a line came to be read.
pub(super) fn root(origin: &Origin) -> Option<&str> {
    let Origin::File { at, via, .. } = origin else { return None };
    let outermost = std::iter::successors(via.as_ref(), |via| via.via.as_ref()).last();
    Some(outermost.map_or(&*at.path, |via| &*via.at.path))
}

/// A setting that has no effect.
pub(super) fn shadowed<T>(setting: &Setting<T>, why: &str, meant_to_count: bool) -> Shadowed {
    Shadowed {
        name: setting.name.clone(),
        text: setting.text.clone(),
        origin: setting.origin.clone(),
        why: why.to_owned(),
        meant_to_count,
    }
}

/// Both ends of a set of versions without a hole.
pub(super) fn ends(versions: &[ProtocolVersion]) -> Result<(ProtocolVersion, ProtocolVersion), CannotMend> {
    let (Some(lowest), Some(highest)) = (versions.iter().min(), versions.iter().max()) else {
        return Err(CannotMend::because("no version is wanted"));
    };
    if usize::from(highest.0 - lowest.0) + 1 > versions.len() {
        return Err(CannotMend::because("it knows a lowest and a highest version, and no hole between them"));
    }
    Ok((*lowest, *highest))
}

/// `TLSv1.2` is 2 of TLS 1; `None` for SSL.
pub(super) fn minor(version: ProtocolVersion) -> Option<u16> {
    (ProtocolVersion::TLSV1_0..=ProtocolVersion::TLSV1_3).contains(&version).then(|| version.0 - ProtocolVersion::TLSV1_0.0)
}

/// A line below `anchor`, or at the end of the main file where nothing anchors it.
pub(super) fn line(context: &Context<'_>, anchor: Option<&Span>, line: &str) -> Result<Patch, CannotMend> {
    let unknown = || CannotMend::because("the file is not known");
    match anchor {
        Some(anchor) => Ok(Patch::line_below(anchor, context.files.bytes(&anchor.path).ok_or_else(unknown)?, line)),
        None => {
            let bytes = context.files.bytes(context.main).ok_or_else(unknown)?;
            let newline = line_end(bytes);
            let before = if bytes.is_empty() || bytes.ends_with(b"\n") { "" } else { newline };
            let end = bytes.len();
            Ok(Patch {
                path: context.files.path(context.main).to_string(),
                start: end,
                end,
                new: format!("{before}{line}{newline}"),
            })
        }
    }
}

/// The bytes of a span, as text.
pub(super) fn written(files: &Files<'_>, span: &Span) -> String {
    let bytes = files.bytes(&span.path).and_then(|bytes| bytes.get(span.start..span.end)).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

/// A part of a file.
pub(super) fn span(path: &Arc<str>, start: usize, end: usize) -> Span {
    Span { path: Arc::clone(path), start, end }
}

/// The place of a setting's value, where it stands in a file.
pub(super) fn value_of<T>(setting: Option<&Setting<T>>) -> Option<&Span> {
    match &setting?.origin {
        Origin::File { value, .. } => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_are_told_by_the_path() {
        assert_eq!(home("/root/.curlrc"), Some("/root"));
        assert_eq!(home("/home/eve/.config/curlrc"), Some("/home/eve"));
        assert_eq!(home("/home/eve"), None);
        assert_eq!(home("/etc/wgetrc"), None);
    }
}
