//! The edits.

use tlswhy_wire::{CipherSuite, NamedGroup};

use super::{anchor, values};
use crate::dialects::{Context, lines};
use crate::files::normal;
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want};
use crate::service::{Service, Side};
use crate::setting::Setting;
use crate::span::{Origin, Span};

pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let settings = &service.settings;
    let prefix = if service.side == Side::Client { "smtp" } else { "smtpd" };
    let mending = Mending { context, service };
    match want {
        Want::Tls => {
            let level = settings.tls.as_ref().filter(|tls| tls.name.ends_with("security_level"));
            mending.set(level, &format!("{prefix}_tls_security_level"), "may")
        }
        Want::Versions(versions) => {
            let value = values::as_protocols(versions, service.program.1);
            let name = settings.versions.as_ref().map_or(format!("{prefix}_tls_protocols"), |setting| setting.name.clone());
            mending.set(settings.versions.as_ref(), &name, &value)
        }
        Want::CipherList(suites, _) => {
            // A grade is no list: its definition is given the suites. Words that are excluded elsewhere stay excluded.
            let setting = settings.cipher_list.as_ref().ok_or_else(|| CannotMend::because("TLS is off"))?;
            let value = openssl_names(suites);
            if setting.name.ends_with("_cipherlist") {
                return mending.set(Some(setting), &setting.name, &value);
            }
            let grade = setting.text.trim().to_ascii_lowercase();
            let grade = if values::GRADES.contains(&grade.as_str()) { grade } else { "medium".to_owned() };
            mending.set(None::<&Setting<()>>, &format!("tls_{grade}_cipherlist"), &value)
        }
        Want::Groups(groups) => {
            // Groups of finite fields have a list of their own since 3.8.
            let (finite, curves): (Vec<NamedGroup>, Vec<NamedGroup>) = groups.iter().partition(|group| is_finite(**group));
            let names: Vec<String> = curves.iter().map(|group| names::group_name(*group)).collect();
            let name = settings.groups.as_ref().map_or("tls_eecdh_auto_curves", |setting| setting.name.as_str());
            if name != "tls_eecdh_auto_curves" && names.len() > 1 {
                let grade = line_of(context, "smtpd_tls_eecdh_grade");
                let mut patches = mending.set(grade.as_ref(), "smtpd_tls_eecdh_grade", "auto")?;
                patches.extend(mending.set(None::<&Setting<()>>, "tls_eecdh_auto_curves", &names.join(" "))?);
                return Ok(patches);
            }
            let mut patches = mending.set(settings.groups.as_ref(), name, &names.join(" "))?;
            let there = settings.groups.iter().flat_map(|setting| &setting.value).filter(|group| is_finite(**group));
            if !there.eq(finite.iter()) {
                let names: Vec<String> = finite.iter().map(|group| names::group_name(*group)).collect();
                let own = line_of(context, "tls_ffdhe_auto_groups");
                patches.extend(mending.set(own.as_ref(), "tls_ffdhe_auto_groups", &names.join(" "))?);
            }
            Ok(patches)
        }
        Want::Certificate(certificate, key) => {
            let own = settings.certificates.first();
            if own.is_some_and(|own| own.name.ends_with("chain_files")) {
                return Err(CannotMend::because(
                    "smtpd_tls_chain_files names several files: which of them is to be replaced is not said",
                ));
            }
            let mut patches = mending.set(own, &format!("{prefix}_tls_cert_file"), certificate)?;
            if let Some(key) = key {
                let own = settings.keys.first().filter(|own| own.name.ends_with("key_file"));
                patches.extend(mending.set(own, &format!("{prefix}_tls_key_file"), key)?);
            }
            Ok(patches)
        }
        other => Err(CannotMend::because(format!("Postfix has no setting for {other:?}"))),
    }
}

fn is_finite(group: NamedGroup) -> bool {
    group.to_string().starts_with("ffdhe")
}

/// The line of main.cf that sets a parameter.
fn line_of(context: &Context<'_>, name: &str) -> Option<Setting<String>> {
    let bytes = context.files.bytes(context.main)?;
    let found = super::main_cf(&context.files.path(context.main), bytes);
    let line = found.into_iter().rev().find(|line| line.name == name)?;
    Some(Setting::new(line.name, line.value.clone(), line.value, line.origin))
}

fn openssl_names(suites: &[CipherSuite]) -> String {
    let names: Vec<&str> = suites.iter().filter_map(|suite| suite.details()?.openssl_name).collect();
    names.join(":")
}

struct Mending<'m> {
    context: &'m Context<'m>,
    service: &'m Service,
}

impl Mending<'_> {
    /// The ruling line gets a value, without blanks as master.cf needs it; or a line of main.cf is added.
    fn set<T>(&self, setting: Option<&Setting<T>>, name: &str, value: &str) -> Result<Vec<Patch>, CannotMend> {
        let main = normal(self.context.main);
        let setting = setting.filter(|setting| matches!(setting.origin, Origin::File { .. }));
        if setting.is_none() && anchor(self.service, &main).is_none() {
            let bytes = self.context.files.bytes(&main).unwrap_or_default();
            let last = bytes.trim_ascii_end().len();
            let at = Span { path: self.context.files.path(&main), start: last, end: last };
            return Ok(vec![Patch::line_below(&at, bytes, &format!("{name} = {value}"))]);
        }
        let value =
            if setting.is_some_and(|setting| in_master(&setting.origin)) { value.replace(' ', ",") } else { value.to_owned() };
        let patches =
            lines::set(self.context.files, setting, &value, anchor(self.service, &main), &format!("{name} = {value}"))?;
        Ok(patches.into_iter().flat_map(|patch| self.around_comments(patch)).collect())
    }

    /// A value may go on over several lines with comments between them, which stay: the new value takes the place of the first
    /// line's part, and the other lines of the old one go.
    fn around_comments(&self, patch: Patch) -> Vec<Patch> {
        let bytes = self.context.files.bytes(&patch.path).unwrap_or_default();
        let old = bytes.get(patch.start..patch.end).unwrap_or_default();
        let is_comment = |line: &[u8]| line.trim_ascii_start().starts_with(b"#");
        let mut lines = old.split(|byte| *byte == b'\n');
        let first = lines.next().unwrap_or_default();
        if !lines.clone().any(is_comment) {
            return vec![patch];
        }
        let mut from = patch.start + first.len();
        let mut patches = vec![Patch { end: patch.start + first.trim_ascii_end().len(), ..patch.clone() }];
        for line in lines {
            // With the line end before it.
            let to = from + 1 + line.len();
            if !is_comment(line) {
                let carriage_return = usize::from(bytes.get(..from).is_some_and(|before| before.ends_with(b"\r")));
                let end = to - usize::from(line.ends_with(b"\r"));
                patches.push(Patch { path: patch.path.clone(), start: from - carriage_return, end, new: String::new() });
            }
            from = to;
        }
        patches
    }
}

fn in_master(origin: &Origin) -> bool {
    origin.span().is_some_and(|span| span.path.ends_with("/master.cf"))
}
