use tlswhy_model::{Exhibit, Finding, Party, Safety, Stage};

use super::found::{Found, remedy};
use crate::causes::Cause;
use crate::examination::FaultKind;

/// The line that is meant to set it is there and has no effect.
pub(super) static CAUSE: Cause = Cause {
    code: "config-shadowed",
    family: "server",
    party: Party::Server,
    stage: Stage::Negotiate,
    doc: include_str!("config_shadowed.md"),
    leads_to: &[
        &super::client_version_outdated::CAUSE,
        &super::cipher_certificate_mismatch::CAUSE,
        &super::no_shared_cipher::CAUSE,
        &super::no_shared_group::CAUSE,
        &super::no_shared_signature_algorithm::CAUSE,
        &super::server_version_outdated::CAUSE,
        &super::version_ranges_disjoint::CAUSE,
    ],
    examine,
};

fn examine(found: &Found<'_>) -> Option<Finding> {
    let FaultKind::ConfigShadowed(setting) = &found.fault.kind else {
        return None;
    };
    let (idle, ruling) = (&setting.without_effect, &setting.ruling);
    let mut finding = found.finding(
        &CAUSE,
        format!("`{}` in {} has no effect", idle.quoted(), idle.where_it_stands()),
        if setting.removes.is_some() {
            format!(
                "{} is there and would allow {}, which {} needs; what rules {} is `{}` ({}).",
                idle.where_it_stands(),
                setting.needed,
                found.client_title(),
                setting.service,
                ruling.quoted(),
                ruling.from
            )
        } else {
            format!("What rules {} is `{}` ({}).", setting.service, ruling.quoted(), ruling.from)
        },
        if setting.removes.is_some() {
            format!("{}. The line that was edited is not the line that counts.", sentence(&setting.why))
        } else {
            format!("{}. Nobody fails for it.", sentence(&setting.why))
        },
    );
    finding.exhibits.insert(0, idle.exhibit(format!("without effect: {}", setting.why)));
    finding.exhibits.insert(1, ruling.exhibit(format!("in effect for {}", setting.service)));
    finding.exhibits.dedup_by(|a: &mut Exhibit, b: &mut Exhibit| a == b);
    if setting.removes.is_none() {
        // Which of the two was meant no file tells.
        finding.remedies.push(remedy(
            Party::Server,
            Safety::Manual,
            format!(
                "Take the line out; if it is the one that was meant, write its value where the other stands ({})",
                ruling.where_it_stands()
            ),
            Vec::new(),
            "What is written is then what counts.",
            None,
        ));
        return Some(finding);
    }
    finding.remedies.push(remedy(
        Party::Server,
        Safety::Safe,
        match &ruling.line {
            Some(line) => format!("Change the line that rules: {}:{}", line.path, line.position.line),
            None => "Set it where it counts".to_owned(),
        },
        vec![
            format!("In effect is `{}` ({})", ruling.quoted(), ruling.from),
            format!("Then take the line without effect out ({}), or say beside it that it has none", idle.where_it_stands()),
        ],
        format!("{} then has {} in common with the client.", setting.program, setting.needed),
        None,
    ));
    finding.reproduce.push(found.s_client(""));
    finding.references.extend(reference(&setting.program).map(str::to_owned));
    Some(finding)
}

/// Where the program's manual says which line counts.
const REFERENCES: &[(&str, &str)] = &[
    ("nginx", "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_protocols"),
    ("apache", "https://httpd.apache.org/docs/2.4/vhosts/details.html"),
    ("haproxy", "https://docs.haproxy.org/3.2/configuration.html#5.1-ssl-min-ver"),
    ("lighttpd", "https://redmine.lighttpd.net/projects/lighttpd/wiki/Docs_SSL"),
    ("postfix", "https://www.postfix.org/postconf.5.html"),
    ("dovecot", "https://doc.dovecot.org/main/core/config/ssl.html"),
    ("postgresql", "https://www.postgresql.org/docs/current/config-setting.html"),
    ("mariadb", "https://mariadb.com/kb/en/configuring-mariadb-with-option-files/"),
    ("mysql", "https://dev.mysql.com/doc/refman/8.4/en/option-files.html"),
];

fn reference(program: &str) -> Option<&'static str> {
    let program = program.to_ascii_lowercase();
    REFERENCES.iter().find(|(name, _)| program.contains(name)).map(|(_, page)| *page)
}

/// A clause as the beginning of a sentence.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
