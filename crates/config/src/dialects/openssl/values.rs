//! The values of commands, as each release takes them.

use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use super::commands::Target;
use crate::language::names;
use crate::release::Release;
use crate::service::Side;

/// Every version that `Protocol` switches, lowest first.
pub(super) const VERSIONS: [ProtocolVersion; 5] = [
    ProtocolVersion::SSLV3,
    ProtocolVersion::TLSV1_0,
    ProtocolVersion::TLSV1_1,
    ProtocolVersion::TLSV1_2,
    ProtocolVersion::TLSV1_3,
];

/// The versions of MinProtocol and MaxProtocol; here letter case matters (measured).
const BOUNDS: &[(&str, Option<ProtocolVersion>)] = &[
    ("None", None),
    ("SSLv3", Some(ProtocolVersion::SSLV3)),
    ("TLSv1", Some(ProtocolVersion::TLSV1_0)),
    ("TLSv1.1", Some(ProtocolVersion::TLSV1_1)),
    ("TLSv1.2", Some(ProtocolVersion::TLSV1_2)),
    ("TLSv1.3", Some(ProtocolVersion::TLSV1_3)),
];

/// A bound: `Some(None)` for none, `None` where the value is of DTLS and says nothing of TLS.
pub(super) fn bound(value: &str) -> Result<Option<Option<ProtocolVersion>>, String> {
    if let Some((_, bound)) = BOUNDS.iter().find(|(name, _)| *name == value) {
        return Ok(Some(*bound));
    }
    if matches!(value, "DTLSv1" | "DTLSv1.2") {
        return Ok(None);
    }
    let meant = BOUNDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
    Err(match meant {
        Some((name, _)) => format!("OpenSSL knows `{name}` and not `{value}`"),
        None => format!("OpenSSL knows no version `{value}`"),
    })
}

/// `Protocol`: words switch versions on and off; what they do not name stays as it was.
pub(super) fn protocol(value: &str, on: &mut Vec<ProtocolVersion>) -> Result<(), String> {
    for word in value.split(',').map(str::trim) {
        let (name, switch) = switched(word);
        let named: Vec<ProtocolVersion> = match name.to_ascii_lowercase().as_str() {
            "all" => VERSIONS.to_vec(),
            "sslv3" => vec![ProtocolVersion::SSLV3],
            "tlsv1" => vec![ProtocolVersion::TLSV1_0],
            "tlsv1.1" => vec![ProtocolVersion::TLSV1_1],
            "tlsv1.2" => vec![ProtocolVersion::TLSV1_2],
            "tlsv1.3" => vec![ProtocolVersion::TLSV1_3],
            "sslv2" | "dtlsv1" | "dtlsv1.2" => Vec::new(),
            _ => return Err(format!("OpenSSL knows no version `{name}`")),
        };
        on.retain(|version| !named.contains(version));
        if switch {
            on.extend(named);
        }
    }
    on.sort_unstable();
    Ok(())
}

fn switched(word: &str) -> (&str, bool) {
    match word.strip_prefix('-') {
        Some(name) => (name, false),
        None => (word.strip_prefix('+').unwrap_or(word), true),
    }
}

/// The level that a cipher string sets: the last `@SECLEVEL=n`, wherever it stands (`DEFAULT@SECLEVEL=1`).
pub(crate) fn level(list: &str) -> Option<u8> {
    let digits = list.split("@SECLEVEL=").skip(1).map(|rest| rest.split([':', ',', ';', ' ', '@']).next().unwrap_or_default());
    digits.filter_map(|digit| digit.parse().ok()).filter(|level| *level <= 5).last()
}

/// The suites of TLS 1.3 that are on by default.
pub(crate) fn default_suites() -> Vec<CipherSuite> {
    [0x1302, 0x1303, 0x1301].map(CipherSuite).to_vec()
}

/// `Ciphersuites`: before 3.0 every name has to be known, since then one of them (measured). Letter case matters.
pub(super) fn suites(value: &str, target: Target) -> Result<Vec<CipherSuite>, String> {
    if value.is_empty() {
        return Ok(Vec::new());
    }
    let mut suites: Vec<CipherSuite> = Vec::new();
    for name in value.split(':').map(str::trim) {
        let suite = name.parse::<CipherSuite>().ok().filter(|suite| suite.0 >> 8 == 0x13 && suite.to_string() == name);
        match suite {
            Some(suite) if !suites.contains(&suite) => suites.push(suite),
            Some(_) => {}
            None if target.since(3, 0, 0) => {}
            None => return Err(format!("OpenSSL knows no suite of TLS 1.3 `{name}`")),
        }
    }
    if suites.is_empty() { Err(format!("`{value}` names no suite of TLS 1.3")) } else { Ok(suites) }
}

/// The groups that are on by default, in the order of the hello (measured on 1.1.1w, 3.0.19 and 3.6.5; ssl/t1_lib.c).
const DEFAULT_GROUPS: &[(Release, &[u16])] = &[
    (Release::new(3, 5, 0), &[0x11ec, 0x1d, 0x17, 0x1e, 0x18, 0x19, 0x100, 0x101]),
    (Release::new(3, 0, 0), &[0x1d, 0x17, 0x1e, 0x19, 0x18, 0x100, 0x101, 0x102, 0x103, 0x104]),
    (Release::new(1, 1, 1), &[0x1d, 0x17, 0x1e, 0x19, 0x18]),
    (Release::new(1, 1, 0), &[0x1d, 0x17, 0x19, 0x18]),
];

/// The signature schemes that are on by default, in the order of the hello at level 0, the schemes with DSA keys left out where no
/// name is known for them (measured likewise).
const DEFAULT_SCHEMES: &[(Release, &[u16])] = &[
    (
        Release::new(3, 5, 0),
        &[
            0x0905, 0x0906, 0x0904, 0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x081a, 0x081b, 0x081c, 0x0809, 0x080a, 0x080b,
            0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0303, 0x0203, 0x0301, 0x0201, 0x0302, 0x0202, 0x0402, 0x0502,
            0x0602,
        ],
    ),
    (
        Release::new(1, 1, 1),
        &[
            0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601,
            0x0303, 0x0203, 0x0301, 0x0201, 0x0302, 0x0202, 0x0402, 0x0502, 0x0602,
        ],
    ),
];

fn of_release<'t>(table: &[(Release, &'t [u16])], release: Release) -> Option<&'t [u16]> {
    table.iter().find(|(since, _)| release >= *since).map(|(_, values)| *values)
}

/// The groups that a release has on by default; `None` before 1.1.0.
pub(crate) fn default_groups(release: Release) -> Option<Vec<NamedGroup>> {
    Some(of_release(DEFAULT_GROUPS, release)?.iter().copied().map(NamedGroup).collect())
}

/// The signature schemes that a release has on by default; `None` before 1.1.1.
pub(crate) fn default_schemes(release: Release) -> Option<Vec<SignatureScheme>> {
    Some(of_release(DEFAULT_SCHEMES, release)?.iter().copied().map(SignatureScheme).collect())
}

/// Names of groups whose letter case mattered in every release before 3.5.
const NIST: &[&str] = &["P-256", "P-384", "P-521"];
/// `Groups`: one name that is not known (or, before 3.5, stands there twice) and the line is refused (measured). From 3.3 `?` marks
/// names that may be unknown; from 3.5 `*` a key share, `/` divides tuples, and `DEFAULT` stands for what is on by default.
pub(super) fn groups(value: &str, target: Target) -> Result<Vec<NamedGroup>, String> {
    let tuples = target.since(3, 5, 0);
    let mut groups: Vec<NamedGroup> = Vec::new();
    for word in value.split(|c| c == ':' || (tuples && c == '/')).map(str::trim) {
        let (mut name, mut optional, mut removed) = (word, false, false);
        while let Some(prefix) = name.chars().next().filter(|prefix| "?*-".contains(*prefix)) {
            match prefix {
                '?' if target.since(3, 3, 0) => optional = true,
                '*' if tuples => {}
                '-' if tuples => removed = true,
                _ => break,
            }
            name = name.get(1..).unwrap_or_default();
        }
        if tuples && name.eq_ignore_ascii_case("DEFAULT") {
            groups.extend(target.default_groups().into_iter().filter(|group| !groups.contains(group)).collect::<Vec<_>>());
            continue;
        }
        // 1.1.1 knew curves by the names of its objects alone.
        let of_an_object = |group: &NamedGroup| group.openssl_name() == Some(name) && group.0 < 0x100;
        let spelled = |group: &NamedGroup| {
            let nist = NIST.iter().any(|nist| nist.eq_ignore_ascii_case(name));
            tuples || NIST.contains(&name) || if target.since(3, 0, 0) { !nist } else { of_an_object(group) }
        };
        match names::group(name).filter(|group| spelled(group) && !name.is_empty()) {
            Some(group) if removed => groups.retain(|one| *one != group),
            Some(group) if groups.contains(&group) && !tuples => return Err(format!("`{name}` stands there twice")),
            Some(group) if groups.contains(&group) => {}
            Some(group) => groups.push(group),
            None if optional || removed => {}
            None => return Err(format!("this OpenSSL knows no group `{name}`")),
        }
    }
    if groups.is_empty() { Err("no group is left".to_owned()) } else { Ok(groups) }
}

/// `SignatureAlgorithms`: one name that is not known (or, before 3.5, stands there twice) and the line is refused (measured); from
/// 3.3 `?` marks names that may be unknown.
pub(super) fn signatures(value: &str, target: Target) -> Result<Vec<SignatureScheme>, String> {
    let new = target.since(3, 5, 0);
    let mut schemes: Vec<SignatureScheme> = Vec::new();
    for word in value.split(':').map(str::trim) {
        let optional = word.starts_with('?') && target.since(3, 3, 0);
        let name = if optional { word.get(1..).unwrap_or_default() } else { word };
        let spelled = new || name.contains('+') || name.bytes().all(|byte| !byte.is_ascii_uppercase());
        let scheme = names::signature_schemes(name).and_then(|schemes| schemes.first().copied()).filter(|_| spelled);
        match scheme {
            Some(scheme) if schemes.contains(&scheme) && !new => return Err(format!("`{name}` stands there twice")),
            Some(scheme) if schemes.contains(&scheme) => {}
            Some(scheme) => schemes.push(scheme),
            None if optional => {}
            None => return Err(format!("this OpenSSL knows no signature algorithm `{name}`")),
        }
    }
    if schemes.is_empty() { Err("no signature algorithm is left".to_owned()) } else { Ok(schemes) }
}

/// The words of `Options`, and whether only a server's context takes them.
const OPTIONS: &[(&str, bool)] = &[
    ("SessionTicket", false),
    ("EmptyFragments", false),
    ("Bugs", false),
    ("Compression", false),
    ("ServerPreference", true),
    ("NoResumptionOnRenegotiation", true),
    ("DHSingle", true),
    ("ECDHSingle", true),
    ("UnsafeLegacyRenegotiation", false),
    ("UnsafeLegacyServerConnect", false),
    ("ClientRenegotiation", false),
    ("EncryptThenMac", false),
    ("NoRenegotiation", false),
    ("AllowNoDHEKEX", false),
    ("PreferNoDHEKEX", false),
    ("PrioritizeChaCha", false),
    ("MiddleboxCompat", false),
    ("AntiReplay", false),
    ("ExtendedMasterSecret", false),
    ("CANames", false),
    ("KTLS", false),
    ("StrictCertCheck", false),
    ("TxCertificateCompression", false),
    ("RxCertificateCompression", false),
    ("KTLSTxZerocopySendfile", false),
    ("IgnoreUnexpectedEOF", false),
    ("LegacyECPointFormats", false),
];

/// `Options`: the words up to the first that is refused, as OpenSSL spells them, `-` before what is off.
pub(super) fn options(value: &str, target: Target) -> (Vec<String>, Result<(), String>) {
    let mut words = Vec::new();
    for word in value.split(',').map(str::trim) {
        let (name, switch) = switched(word);
        let known = OPTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        match known {
            Some((_, true)) if target.side == Side::Client => {
                return (words, Err(format!("a client's context does not take `{name}`")));
            }
            Some((known, _)) => words.push(if switch { (*known).to_owned() } else { format!("-{known}") }),
            None => return (words, Err(format!("OpenSSL knows no option `{name}`"))),
        }
    }
    (words, Ok(()))
}

/// `VerifyMode` of a client: whether it verifies the server.
pub(super) fn verifies(value: &str, target: Target) -> Result<bool, String> {
    let mut verifies = false;
    for word in value.split(',').map(str::trim) {
        let (name, switch) = switched(word);
        let of_client = name.eq_ignore_ascii_case("Peer");
        let of_server = ["Request", "Require", "Once", "RequestPostHandshake", "RequirePostHandshake"];
        let of_server = of_server.iter().any(|known| known.eq_ignore_ascii_case(name));
        match target.side {
            Side::Client if of_client => verifies = switch,
            Side::Server if of_server => verifies = switch,
            _ if of_client || of_server => return Err(format!("`{name}` is for the other side")),
            _ => return Err(format!("OpenSSL knows no way to verify `{name}`")),
        }
    }
    Ok(verifies)
}
