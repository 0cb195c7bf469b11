//! The edits that bring about what is wanted.

use tlswhy_wire::ProtocolVersion;

use super::chain::{self, OPENSSL_CONF};
use super::conf::{self, Conf};
use super::{Group, groups, lines};
use crate::dialects::Context;
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want, line_end};
use crate::release::Release;
use crate::service::{Service, Side};
use crate::setting::Setting;
use crate::span::{Origin, Span};

/// Where crypto-policies puts what it generates.
const GENERATED: &[&str] = &["/etc/crypto-policies/", "/usr/share/crypto-policies/"];

pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let release = context.files.release_of("openssl");
    if release.is_some_and(|release| release < Release::new(1, 1, 1)) {
        return Err(CannotMend::because("OpenSSL takes settings of TLS from openssl.cnf by itself since 1.1.1 only"));
    }
    let conf = conf::read(context.files, context.main, release);
    if let Some((_, says)) = &conf.refused {
        return Err(CannotMend::because(format!("OpenSSL drops the whole file ({says}): that line has to be mended first")));
    }
    let group = groups(&conf).into_iter().find(|group| group.title == service.title);
    let group = group.ok_or_else(|| CannotMend::because("its section cannot be found again"))?;
    let mut mender = Mender { context, conf: &conf, group: &group, patches: Vec::new(), lines: Vec::new() };
    let settings = &service.settings;
    match want {
        Want::Versions(versions) => mender.versions(service, versions)?,
        Want::CipherList(suites, level) => {
            let names: Vec<&str> = suites.iter().filter_map(|suite| suite.details()?.openssl_name).collect();
            if names.is_empty() {
                return Err(CannotMend::because("OpenSSL has none of these suites"));
            }
            let mut text = names.join(":");
            if let Some(level) = level {
                text.push_str(&format!(":@SECLEVEL={level}"));
            }
            mender.set(settings.cipher_list.as_ref(), "CipherString", &text)?;
        }
        Want::CipherSuites(suites) => {
            let names: Vec<String> = suites.iter().map(ToString::to_string).collect();
            mender.set(settings.cipher_suites.as_ref(), "Ciphersuites", &names.join(":"))?;
        }
        Want::Groups(groups) => {
            let names: Vec<String> = groups.iter().map(|group| names::group_name(*group)).collect();
            mender.set(settings.groups.as_ref(), "Groups", &names.join(":"))?;
        }
        Want::SignatureAlgorithms(schemes) => {
            let names: Vec<String> = schemes.iter().map(ToString::to_string).collect();
            mender.set(settings.signature_algorithms.as_ref(), "SignatureAlgorithms", &names.join(":"))?;
        }
        Want::SecurityLevel(level) => {
            let list = settings.cipher_list.as_ref();
            let text = list.map_or("DEFAULT", |list| list.value.text.as_str());
            // What stands before and after each `@SECLEVEL=n`.
            let mut parts = text.split("@SECLEVEL=");
            let first = parts.next().unwrap_or_default().to_owned();
            let rest = parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
            let text = rest.fold(first, |text, part| text + part);
            let words: Vec<&str> = text.split(':').filter(|word| !word.is_empty()).collect();
            let words = if words.is_empty() { vec!["DEFAULT"] } else { words };
            mender.set(list, "CipherString", &format!("{}:@SECLEVEL={level}", words.join(":")))?;
        }
        Want::Option(option) => {
            // The last line alone: what those before it switch stays.
            let before = settings.options.as_ref().and_then(|before| match &before.origin {
                Origin::File { value, .. } => context.files.bytes(&value.path)?.get(value.start..value.end),
                _ => None,
            });
            let before = before.map(String::from_utf8_lossy).filter(|before| !before.is_empty());
            let text = before.map_or_else(|| option.clone(), |before| format!("{before},{option}"));
            mender.set(settings.options.as_ref(), "Options", &text)?;
        }
        Want::Tls
        | Want::Certificate(..)
        | Want::ClientVerification(_)
        | Want::Alpn(_)
        | Want::AcceptUnknownNames
        | Want::Name(_)
        | Want::NoDhParameters => return Err(CannotMend::because("that is not said in openssl.cnf")),
    }
    mender.finish()
}

struct Mender<'m> {
    context: &'m Context<'m>,
    conf: &'m Conf,
    group: &'m Group,
    patches: Vec<Patch>,
    /// Lines that the section has to get.
    lines: Vec<String>,
}

impl Mender<'_> {
    /// The line that rules gets this value; without one, the section gets a line.
    fn set<T>(&mut self, setting: Option<&Setting<T>>, name: &str, value: &str) -> Result<(), CannotMend> {
        let Some(Setting { origin: Origin::File { value: place, .. }, .. }) = setting else {
            self.lines.push(format!("{name} = {value}"));
            return Ok(());
        };
        if let Some(generated) = GENERATED.iter().find(|generated| place.path.starts_with(**generated)) {
            let why = format!(
                "the line stands below {generated}, where `update-crypto-policies` writes: choose another policy \
                 (`update-crypto-policies --set NAME`, with a module for less), or give the one program a file of its own by \
                 OPENSSL_CONF"
            );
            return Err(CannotMend::because(why));
        }
        self.patches.push(Patch::replace(place, value));
        Ok(())
    }

    fn versions(&mut self, service: &Service, versions: &[ProtocolVersion]) -> Result<(), CannotMend> {
        let (Some(lowest), Some(highest)) = (versions.iter().min().copied(), versions.iter().max().copied()) else {
            return Err(CannotMend::because("no version is wanted"));
        };
        let settings = &service.settings;
        let within = super::values::VERSIONS.iter().filter(|version| (lowest..=highest).contains(*version));
        if within.clone().any(|version| !versions.contains(version)) {
            return Err(CannotMend::because("OpenSSL speaks an unbroken range of versions"));
        }
        self.set(settings.minimum_version.as_ref(), "MinProtocol", &names::version_name(lowest))?;
        if settings.maximum_version.is_some() || highest < ProtocolVersion::TLSV1_3 {
            self.set(settings.maximum_version.as_ref(), "MaxProtocol", &names::version_name(highest))?;
        }
        if let Some(on) = &settings.versions
            && within.clone().any(|version| !on.value.contains(version))
        {
            self.set(Some(on), "Protocol", "ALL")?;
        }
        Ok(())
    }

    fn bytes(&self, path: &str) -> Result<&[u8], CannotMend> {
        self.context.files.bytes(path).ok_or_else(|| CannotMend::because(format!("{path} cannot be read")))
    }

    /// Puts the new lines where programs are led to, and the lines that lead there where they are missing.
    fn finish(mut self) -> Result<Vec<Patch>, CannotMend> {
        if self.lines.is_empty() {
            return Ok(self.patches);
        }
        let new = std::mem::take(&mut self.lines);
        let release = self.context.files.release_of("openssl");
        if let Some(refused) = super::of_group(self.conf, self.group, release, Side::Client).stopped {
            let why = format!("no line below the refused `{refused}` counts: that has to be mended first");
            return Err(CannotMend::because(why));
        }
        let start = chain::start(self.conf, self.group.application.as_deref());
        let Some(start) = start else {
            let [modules, names, commands] = ["openssl_init", "ssl_sect", "tls_system_default"].map(|name| self.unused(name));
            self.first_line(&format!("{OPENSSL_CONF} = {modules}"))?;
            let sections = [
                format!("[{modules}]"),
                format!("ssl_conf = {names}"),
                format!("[{names}]"),
                format!("system_default = {commands}"),
                format!("[{commands}]"),
            ];
            return self.at_the_end(&[&sections[..], &new].concat());
        };
        let ssl_conf = match chain::ssl_conf(self.conf, start) {
            Ok(ssl_conf) => ssl_conf,
            Err(broken) if broken.wrong => {
                return Err(CannotMend::because(format!("first this has to be mended: {}", broken.why)));
            }
            Err(_) => {
                let [names, commands] = ["ssl_sect", "tls_system_default"].map(|name| self.unused(name));
                let line = format!("ssl_conf = {names}");
                self.below_head(&start.value, &line)?;
                let sections = [format!("[{names}]"), format!("{} = {commands}", self.group.name), format!("[{commands}]")];
                return self.at_the_end(&[&sections[..], &new].concat());
            }
        };
        match self.conf.own(&ssl_conf.value, &self.group.name) {
            Some(named) => {
                let head = self.head(&named.value)?;
                self.at_the_section_end(&head, &new)
            }
            None => {
                let commands = self.unused("tls_system_default");
                let line = format!("{} = {commands}", self.group.name);
                self.below_head(&ssl_conf.value, &line)?;
                self.at_the_end(&[&[format!("[{commands}]")][..], &new].concat())
            }
        }
    }

    /// A name that no section has.
    fn unused(&self, name: &str) -> String {
        let free = |name: &String| self.conf.section(name).is_none();
        let numbered = (2_u32..).map(|number| format!("{name}_{number}"));
        std::iter::once(name.to_owned()).chain(numbered).find(free).unwrap_or_default()
    }

    fn head(&self, section: &str) -> Result<Span, CannotMend> {
        let head = self.conf.head(section).cloned();
        head.ok_or_else(|| CannotMend::because(format!("the section [{section}] has no line of its own")))
    }

    fn below_head(&mut self, section: &str, line: &str) -> Result<(), CannotMend> {
        let head = self.head(section)?;
        let patch = Patch::line_below(&head, self.bytes(&head.path)?, line);
        self.patches.push(patch);
        Ok(())
    }

    fn first_line(&mut self, line: &str) -> Result<(), CannotMend> {
        let bytes = self.bytes(self.context.main)?;
        let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let new = format!("{line}{}", line_end(bytes));
        self.patches.push(Patch { path: self.context.main.to_owned(), start, end: start, new });
        Ok(())
    }

    fn at_the_end(mut self, new: &[String]) -> Result<Vec<Patch>, CannotMend> {
        let bytes = self.bytes(self.context.main)?;
        let newline = line_end(bytes);
        let mut text = String::new();
        if bytes.last().is_some_and(|last| *last != b'\n') {
            text.push_str(newline);
        }
        for line in new {
            if line.starts_with('[') {
                text.push_str(newline);
            }
            text.push_str(line);
            text.push_str(newline);
        }
        let end = bytes.len();
        // A line that goes below the last one of the file goes with what comes at its end.
        if let Some(before) = self.patches.iter_mut().find(|patch| patch.start == end && patch.path == self.context.main) {
            before.new = format!("{}{text}", before.new);
        } else {
            self.patches.push(Patch { path: self.context.main.to_owned(), start: end, end, new: text });
        }
        Ok(self.patches)
    }

    /// Below the last line of the section that says something, so that nothing of it comes after.
    fn at_the_section_end(mut self, head: &Span, new: &[String]) -> Result<Vec<Patch>, CannotMend> {
        let bytes = self.bytes(&head.path)?;
        let mut at = head.end;
        let mut last = head.clone();
        // The rest of the head's own line.
        let _rest = lines::next(bytes, &mut at);
        while let Some(line) = lines::next(bytes, &mut at) {
            let start = lines::past_blanks(&line.text, 0);
            match line.text.get(start) {
                None => {}
                Some(b'[') => break,
                Some(_) => {
                    let span = line.span(start..lines::trimmed_end(&line.text, start));
                    last = Span { path: head.path.clone(), start: span.start, end: span.end };
                }
            }
        }
        let newline = line_end(bytes);
        let patch =
            Patch::line_below(&last, bytes, &new.join(&format!("{newline}{}", crate::mend::indentation(bytes, last.start))));
        self.patches.push(patch);
        Ok(self.patches)
    }
}
