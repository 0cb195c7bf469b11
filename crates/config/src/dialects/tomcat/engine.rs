//! Whether Java does the TLS, or OpenSSL in its place.
//!
//! Sources: <https://tomcat.apache.org/tomcat-10.1-doc/config/http.html> and its page of AprLifecycleListener.

use super::document::Element;
use crate::dialects::Context;

/// What is said where OpenSSL does the TLS.
pub(super) const OPENSSL: &str = "OpenSSL does the TLS: what it makes of the values is not read";
/// What is said where it may.
pub(super) const NO_NATIVE: &str = "AprLifecycleListener is there, and no package of tomcat-native: were it installed some other way, OpenSSL would do the TLS";

/// Who does the TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Java,
    /// The listener is there that takes OpenSSL where tomcat-native is installed, and no package of it is known.
    JavaAsFarAsKnown,
    OpenSsl,
}

impl Engine {
    /// OpenSSL where a connector asks for it, or a listener where tomcat-native is installed.
    pub(super) fn of(context: &Context<'_>, elements: &[Element]) -> Engine {
        let asks = |element: &Element| {
            element.value("sslImplementationName").is_some_and(|name| name.contains("openssl"))
                || element.value("protocol").is_some_and(|name| name.contains("Apr"))
                // It does so from Java 22 on.
                || is_listener(element, "OpenSSLLifecycleListener")
        };
        let is_on = |element: &Element| !element.value("SSLEngine").is_some_and(|engine| engine.eq_ignore_ascii_case("off"));
        if elements.iter().any(asks) {
            return Engine::OpenSsl;
        }
        if !elements.iter().any(|element| is_listener(element, "AprLifecycleListener") && is_on(element)) {
            return Engine::Java;
        }
        match context.files.software("tcnative").and_then(|software| software.version.as_ref()) {
            Some(_) => Engine::OpenSsl,
            None => Engine::JavaAsFarAsKnown,
        }
    }
}

fn is_listener(element: &Element, class: &str) -> bool {
    element.name == "Listener" && element.value("className").is_some_and(|name| name.ends_with(class))
}
