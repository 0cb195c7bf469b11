//! Edits: the line that rules gets another value, or a new line is put where it counts.

use tlswhy_wire::{CipherSuite, ProtocolVersion};

use super::tree::{Node, Reader};
use super::{Program, lines};
use crate::dialects::Context;
use crate::language::names;
use crate::mend::{CannotMend, Patch, Want, indentation, line_end};
use crate::service::{Service, Side};
use crate::setting::{ClientVerification, Setting};
use crate::span::{Origin, Span};

/// The edits that bring about what is wanted.
pub(super) fn mend(context: &Context<'_>, service: &Service, want: &Want) -> Result<Vec<Patch>, CannotMend> {
    let program = Program::of(context);
    let mut reader = Reader::new(context.files, program, context.main);
    let nodes = reader.main(context.main);
    let mender = Mender { context, service, program, nodes: &nodes, has_ssl: reader.modules.has("ssl_module") };
    let settings = &service.settings;
    let server = service.side == Side::Server;
    let name = |server_name, proxy_name| if server { server_name } else { proxy_name };
    match want {
        Want::Versions(versions) => mender.versions(versions),
        Want::CipherList(suites, level) => {
            let mut text = list(suites)?;
            if let Some(level) = level {
                text.push_str(&format!(":@SECLEVEL={level}"));
            }
            mender.set(settings.cipher_list.as_ref(), name("SSLCipherSuite", "SSLProxyCipherSuite"), &text, Scope::Own)
        }
        Want::CipherSuites(_) if !program.has_tls13() => Err(CannotMend::because("this httpd has no TLS 1.3")),
        Want::CipherSuites(suites) => {
            let text = suites.iter().map(ToString::to_string).collect::<Vec<_>>().join(":");
            let scope = if program.name_decides_versions() { Scope::Own } else { Scope::First };
            mender.set(
                settings.cipher_suites.as_ref(),
                name("SSLCipherSuite TLSv1.3", "SSLProxyCipherSuite TLSv1.3"),
                &text,
                scope,
            )
        }
        Want::SecurityLevel(level) => {
            let Some(ciphers) = &settings.cipher_list else { return Err(CannotMend::because("there is no cipher list")) };
            let words: Vec<&str> = ciphers.text.split(':').filter(|word| !word.starts_with("@SECLEVEL")).collect();
            let text = format!("{}:@SECLEVEL={level}", words.join(":"));
            mender.set(Some(ciphers), name("SSLCipherSuite", "SSLProxyCipherSuite"), &text, Scope::Own)
        }
        Want::Certificate(certificate, None) if !server => {
            mender.set(settings.certificates.first(), "SSLProxyMachineCertificateFile", certificate, Scope::Own)
        }
        Want::Certificate(certificate, key) if server => {
            let mut patches = mender.set(settings.certificates.first(), "SSLCertificateFile", certificate, Scope::Own)?;
            if let Some(key) = key {
                patches.extend(mender.set(settings.keys.first(), "SSLCertificateKeyFile", key, Scope::Own)?);
            }
            Ok(patches)
        }
        Want::Groups(groups) if server => {
            let text = groups.iter().map(|group| names::group_name(*group)).collect::<Vec<_>>().join(":");
            let name = if program.openssl_since(1, 1, 0) { "Groups" } else { "Curves" };
            mender.set(settings.groups.as_ref(), &format!("SSLOpenSSLConfCmd {name}"), &text, Scope::First)
        }
        Want::SignatureAlgorithms(schemes) if server => {
            let text = schemes.iter().map(ToString::to_string).collect::<Vec<_>>().join(":");
            let name = "SSLOpenSSLConfCmd SignatureAlgorithms";
            mender.set(settings.signature_algorithms.as_ref(), name, &text, Scope::Own)
        }
        Want::Option(option) if server => {
            let text = match &settings.options {
                Some(options) if options.value.iter().any(|one| one == option) => options.text.clone(),
                Some(options) => format!("{},{option}", options.text),
                None => option.clone(),
            };
            mender.set(settings.options.as_ref(), "SSLOpenSSLConfCmd Options", &text, Scope::Own)
        }
        Want::ClientVerification(verification) if server => {
            let word = match verification {
                ClientVerification::Off => "none",
                ClientVerification::Optional => "optional",
                ClientVerification::Required => "require",
            };
            mender.set(settings.client_verification.as_ref(), "SSLVerifyClient", word, Scope::Own)
        }
        Want::Alpn(protocols) if server => mender.alpn(protocols),
        Want::Tls => mender.speak_tls(),
        Want::AcceptUnknownNames if server => Err(CannotMend::because(
            "httpd serves names that no virtual host has already: by the first virtual host of the address",
        )),
        Want::NoDhParameters if server => match settings.dh_parameters.as_ref().and_then(|setting| setting.origin.span()) {
            Some(at) => mender.remove(at).map(|patch| vec![patch]),
            None => Err(CannotMend::because(
                "no line names a file of parameters; they may stand at the end of the first SSLCertificateFile",
            )),
        },
        Want::Name(name) if server => mender.name(name),
        other => Err(CannotMend::because(format!("mod_ssl has no directive for {other:?} here"))),
    }
}

/// Which server's block a new line has to stand in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The service's own.
    Own,
    /// The first virtual host of its address, which decides for all of them.
    First,
}

fn list(suites: &[CipherSuite]) -> Result<String, CannotMend> {
    let names: Vec<&str> = suites.iter().filter_map(|suite| suite.details()?.openssl_name).collect();
    if names.is_empty() { Err(CannotMend::because("OpenSSL has none of these suites")) } else { Ok(names.join(":")) }
}

struct Mender<'m> {
    context: &'m Context<'m>,
    service: &'m Service,
    program: Program,
    nodes: &'m [Node],
    has_ssl: bool,
}

impl Mender<'_> {
    fn versions(&self, versions: &[ProtocolVersion]) -> Result<Vec<Patch>, CannotMend> {
        let can = self.program.all_versions();
        if let Some(lacks) = versions.iter().find(|version| !can.contains(version)) {
            return Err(CannotMend::because(format!("this httpd with its OpenSSL has no {lacks}")));
        }
        if self.program.without_holes(versions).len() != versions.len() || versions.is_empty() {
            return Err(CannotMend::because("mod_ssl on OpenSSL 1.1.0 and newer has only ranges of versions without a gap"));
        }
        let server = self.service.side == Side::Server;
        let text =
            versions.iter().fold("-all".to_owned(), |text, version| format!("{text} +{}", names::version_name(*version)));
        let settings = &self.service.settings;
        let scope = if self.program.name_decides_versions() || !server { Scope::Own } else { Scope::First };
        let name = if server { "SSLProtocol" } else { "SSLProxyProtocol" };
        let mut patches = self.set(settings.versions.as_ref(), name, &text, scope)?;
        if !server {
            return Ok(patches);
        }
        // `SSLOpenSSLConfCmd` is applied afterwards and wins: MinProtocol and MaxProtocol of the block that decides now, Protocol
        // of the first virtual host as well.
        let decides = if scope == Scope::Own && !self.served_by_first() { self.own_block() } else { self.first_block() };
        for (version, command) in [(versions.first(), "MinProtocol"), (versions.last(), "MaxProtocol")] {
            let node = [decides.map(Node::inside), Some(self.nodes)]
                .into_iter()
                .flatten()
                .find_map(|nodes| conf(nodes, command).last());
            if let (Some(version), Some(node)) = (version, node) {
                patches.push(self.replacement(&node.at(), &node.at(), &names::version_name(*version)));
            }
        }
        let mut places = vec![self.nodes];
        places.extend(decides.map(Node::inside));
        if let Some(first) = self.first_block().filter(|first| !decides.is_some_and(|decides| is_at(decides, &first.at()))) {
            places.push(first.inside());
        }
        for node in places.into_iter().flat_map(|nodes| conf(nodes, "Protocol")) {
            patches.push(self.replacement(&node.at(), &node.at(), "ALL"));
        }
        Ok(patches)
    }

    /// Whether TLS is off by the lines of this virtual host, so that the first one of its address serves its names.
    fn served_by_first(&self) -> bool {
        let Some(own) = self.own_block() else { return false };
        if self.service.side == Side::Client || self.service.listeners.iter().any(|listener| listener.is_default) {
            return false;
        }
        let engine = |nodes: &[Node]| nodes.iter().rfind(|node| node.name == "sslengine").map(|node| node.argument());
        let says_off = engine(own.inside()).or_else(|| engine(self.nodes)).is_some_and(|word| !word.eq_ignore_ascii_case("on"));
        let certificate = self.service.settings.certificates.first().and_then(|setting| setting.origin.span());
        says_off || certificate.is_some_and(|at| !self.is_own(at))
    }

    /// The ruling line gets this value; without one, the block that rules gets a line.
    fn set<T>(&self, setting: Option<&Setting<T>>, name: &str, value: &str, scope: Scope) -> Result<Vec<Patch>, CannotMend> {
        let scope = if self.served_by_first() { Scope::First } else { scope };
        if let Some(setting) = setting
            && let Origin::File { at, value: place, .. } = &setting.origin
            && (scope == Scope::First || self.is_own(at))
        {
            return Ok(vec![self.replacement(at, place, value)]);
        }
        self.insert(scope, &format!("{name} {}", quoted(value, name)))
    }

    /// The value alone: of `SSLOpenSSLConfCmd NAME VALUE` and `SSLCipherSuite TLSv1.3 LIST` the last word.
    fn replacement(&self, at: &Span, place: &Span, value: &str) -> Patch {
        let bytes = self.context.files.bytes(&at.path).unwrap_or_default();
        let words = lines::raw_words(bytes, at.start..at.end);
        let head = words.first().and_then(|word| bytes.get(word.clone())).unwrap_or_default().to_ascii_lowercase();
        let has_list = matches!(head.as_slice(), b"sslopensslconfcmd" | b"sslciphersuite" | b"sslproxyciphersuite");
        let place = match words.last() {
            Some(last) if has_list && words.len() == 3 => Span { path: at.path.clone(), start: last.start, end: last.end },
            _ => place.clone(),
        };
        let old = bytes.get(place.start..place.end).unwrap_or_default();
        let quote = old.first().filter(|quote| matches!(quote, b'"' | b'\'') && old.len() > 1 && old.last() == Some(quote));
        // A list of versions is several words: quotes around all of it would make one of them.
        let is_one = has_list || !value.contains(' ');
        match quote {
            Some(quote) if is_one => Patch::replace(&place, format!("{0}{value}{0}", char::from(*quote))),
            _ => Patch::replace(&place, if is_one { quoted(value, "") } else { value.to_owned() }),
        }
    }

    /// Whether a line stands in the service's own block or in the main server, not in another virtual host.
    fn is_own(&self, at: &Span) -> bool {
        let of = |nodes: &[Node]| holds(nodes, at);
        match self.own_block() {
            Some(own) if of(own.inside()) => true,
            _ => !self.nodes.iter().any(|node| node.name == "virtualhost" && of(node.inside())),
        }
    }

    fn own_block(&self) -> Option<&Node> {
        let declared = self.service.declared.as_ref()?;
        let hosts = || self.nodes.iter().filter(|node| node.name == "virtualhost");
        if self.service.side == Side::Client {
            return hosts().find(|host| holds(host.inside(), declared));
        }
        hosts().find(|host| is_at(host, declared))
    }

    /// The block of the first virtual host of the service's address; `None` for the main server.
    fn first_block(&self) -> Option<&Node> {
        let listener = self.service.listeners.first()?;
        if listener.is_default {
            return self.own_block();
        }
        let reading = super::read(self.context);
        let first = reading.services.iter().find(|other| {
            other.side == Side::Server
                && other
                    .listeners
                    .iter()
                    .any(|one| one.is_default && (one.address, one.port) == (listener.address, listener.port))
        })?;
        let declared = first.declared.clone()?;
        self.nodes.iter().find(|node| node.name == "virtualhost" && is_at(node, &declared))
    }

    fn insert(&self, scope: Scope, line: &str) -> Result<Vec<Patch>, CannotMend> {
        let lost = || CannotMend::because("the virtual host cannot be found again");
        let block = if scope == Scope::First { self.first_block() } else { self.own_block() };
        let inside = block.map_or(self.nodes, Node::inside);
        // A proxied address: above the directive (or the section around it) that names it, where a server's lines may stand.
        if self.service.side == Side::Client {
            let declared = self.service.declared.as_ref().ok_or_else(lost)?;
            let child = inside.iter().find(|node| is_at(node, declared) || holds(node.inside(), declared)).ok_or_else(lost)?;
            let bytes = self.context.files.bytes(&child.path).ok_or_else(lost)?;
            return Ok(vec![Patch::line_above(&child.at(), bytes, line)]);
        }
        // Below what says that TLS is spoken, or how the server is called, in the file where the block is written.
        let heads: [&[&str]; 3] = [&["sslengine"], &["servername", "serveralias"], &["listen"]];
        let own_file = |node: &&Node| block.is_none_or(|block| block.path == node.path);
        let plain = || inside.iter().filter(|node| node.block.is_none()).filter(own_file);
        let anchor = heads.iter().find_map(|heads| plain().rfind(|node| heads.contains(&node.name.as_str())));
        if let Some(anchor) = anchor {
            let bytes = self.context.files.bytes(&anchor.path).ok_or_else(lost)?;
            return Ok(vec![Patch::line_below(&anchor.at(), bytes, line)]);
        }
        if let Some(first) = inside.iter().find(own_file) {
            let bytes = self.context.files.bytes(&first.path).ok_or_else(lost)?;
            return Ok(vec![Patch::line_above(&first.at(), bytes, line)]);
        }
        let block = block.ok_or_else(lost)?;
        let bytes = self.context.files.bytes(&block.path).ok_or_else(lost)?;
        let mut patch = Patch::line_below(&block.at(), bytes, line);
        let indent = indentation(bytes, block.span.start);
        patch.new = format!("{indent}    {line}{}", line_end(bytes));
        Ok(vec![patch])
    }

    fn remove(&self, at: &Span) -> Result<Patch, CannotMend> {
        let bytes = self.context.files.bytes(&at.path).ok_or_else(|| CannotMend::because("the line cannot be found again"))?;
        let before = bytes.get(..at.start).unwrap_or_default();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
        let after = bytes.get(at.end..).unwrap_or_default();
        let end = at.end + after.iter().position(|byte| *byte == b'\n').map_or(after.len(), |place| place + 1);
        Ok(Patch { path: at.path.to_string(), start, end, new: String::new() })
    }

    fn alpn(&self, protocols: &[String]) -> Result<Vec<Patch>, CannotMend> {
        if protocols.is_empty() {
            return Err(CannotMend::because("httpd always names at least http/1.1"));
        }
        let text = protocols.join(" ");
        let setting = self.service.settings.alpn.as_ref();
        let mut patches = self.set(setting, "Protocols", &text, Scope::Own)?;
        // Further lines of the same scope would add to it.
        let Some(first) = setting.and_then(|setting| setting.origin.span()) else { return Ok(patches) };
        let own = self.own_block().map(Node::inside).filter(|inside| inside.iter().any(|node| is_at(node, first)));
        for node in own.unwrap_or(self.nodes).iter().filter(|node| node.name == "protocols" && !is_at(node, first)) {
            patches.push(self.remove(&node.at())?);
        }
        Ok(patches)
    }

    fn speak_tls(&self) -> Result<Vec<Patch>, CannotMend> {
        if !self.has_ssl {
            return Err(CannotMend::because("mod_ssl is not loaded: `a2enmod ssl`, or a `LoadModule ssl_module` line"));
        }
        if self.service.side == Side::Client {
            return self.set(self.service.settings.tls.as_ref(), "SSLProxyEngine", "on", Scope::Own);
        }
        if self.service.settings.certificates.is_empty() {
            return Err(CannotMend::because("no `SSLCertificateFile` is set: `SSLEngine on` alone would end the start"));
        }
        self.set(self.service.settings.tls.as_ref(), "SSLEngine", "on", Scope::First)
    }

    fn name(&self, name: &str) -> Result<Vec<Patch>, CannotMend> {
        let block = self.own_block().ok_or_else(|| CannotMend::because("the main server has one name: add a virtual host"))?;
        let line = block.inside().iter().rfind(|node| node.name == "serveralias" && !node.value.is_empty());
        if let Some(line) = line {
            let end = line.value.end;
            return Ok(vec![Patch { path: line.path.to_string(), start: end, end, new: format!(" {name}") }]);
        }
        let has_name = block.inside().iter().any(|node| node.name == "servername");
        self.insert(Scope::Own, &format!("{} {name}", if has_name { "ServerAlias" } else { "ServerName" }))
    }
}

/// The `SSLOpenSSLConfCmd` lines of this command.
fn conf<'n>(nodes: &'n [Node], command: &str) -> impl DoubleEndedIterator<Item = &'n Node> {
    let fits = move |node: &&Node| node.name == "sslopensslconfcmd" && node.argument().eq_ignore_ascii_case(command);
    nodes.iter().filter(fits)
}

fn is_at(node: &Node, span: &Span) -> bool {
    node.path == span.path && node.span.start == span.start
}

/// Whether one of these directives, or of those in their sections, stands at a place.
fn holds(nodes: &[Node], span: &Span) -> bool {
    nodes.iter().any(|node| is_at(node, span) || holds(node.inside(), span))
}

/// A value as one word; a list of versions and of protocols is several.
fn quoted(value: &str, name: &str) -> String {
    let several = matches!(name, "SSLProtocol" | "SSLProxyProtocol" | "Protocols");
    if !several && value.contains(char::is_whitespace) {
        format!("\"{}\"", value.replace('"', "\\\""))
    } else {
        value.to_owned()
    }
}
