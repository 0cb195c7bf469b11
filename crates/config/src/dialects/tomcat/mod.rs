//! Tomcat: the connectors of server.xml with their SSLHostConfig, as JSSE does them.
//!
//! Sources: <https://tomcat.apache.org/tomcat-10.1-doc/config/http.html>; the classes SSLHostConfig and SSLUtilBase of Tomcat 10.1;
//! measured on 10.1.60 with OpenJDK 17.0.15.

mod document;
mod ending;
mod engine;
mod hosts;
mod machine;
mod offer;
mod protocols;

use std::collections::HashMap;

use self::document::elements;
use crate::dialects::java::properties::properties;
use crate::dialects::{Commands, Context, Dialect, Likeness};
use crate::files::{Content, directory_of};
use crate::service::{Reading, Side};

pub(crate) static DIALECT: Dialect = Dialect {
    name: "tomcat",
    title: "Tomcat",
    sides: &[Side::Server],
    places: &[
        "/etc/tomcat*/server.xml",
        "/opt/*tomcat*/conf/server.xml",
        "/usr/local/*tomcat*/conf/server.xml",
        "/usr/share/tomcat*/conf/server.xml",
    ],
    recognise,
    read,
    mend: ending::mend,
    commands,
};

/// What this much text holds is looked through to recognise a file.
const LOOKED_THROUGH: usize = 64 * 1024;

fn recognise(path: &str, bytes: &[u8]) -> Likeness {
    let text = bytes.get(..bytes.len().min(LOOKED_THROUGH)).unwrap_or_default();
    let has = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
    match (path.ends_with("/server.xml"), has(b"<Server") && has(b"<Service") && has(b"<Connector")) {
        (true, true) => Likeness::Name,
        (false, true) => Likeness::Content,
        _ => Likeness::None,
    }
}

/// Debian's services are called like their folders; elsewhere it is not known how Tomcat was started.
fn commands(main: &str) -> Commands {
    let name = main.strip_prefix("/etc/").and_then(|rest| rest.strip_suffix("/server.xml"));
    match name.filter(|name| !name.contains('/')) {
        Some(name) => Commands::of("", &format!("systemctl restart {name}")),
        None => Commands::default(),
    }
}

fn read(context: &Context<'_>) -> Reading {
    let mut reading = Reading::default();
    let path = context.files.path(context.main);
    let Content::Bytes(bytes) = context.files.look(&path) else { return reading };
    reading.files.push(path.to_string());
    let variables = variables(context, &mut reading);
    match elements(&path, bytes, &variables) {
        Ok(elements) => hosts::add(context, &elements, &mut reading),
        Err(trouble) => reading.troubles.push(trouble),
    }
    reading
}

/// The properties that `${…}` stands for: those of catalina.properties beside the file. Those of the command line are not known.
fn variables(context: &Context<'_>, reading: &mut Reading) -> HashMap<String, String> {
    let path = context.files.path(&format!("{}/catalina.properties", directory_of(context.main)));
    let Content::Bytes(bytes) = context.files.look(&path) else { return HashMap::new() };
    reading.files.push(path.to_string());
    properties(&path, bytes).properties.into_iter().map(|property| (property.key.clone(), property.text())).collect()
}
