//! A process that connects: its program, and the TLS libraries that it has loaded.

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use tlswhy_model::SeenFile;

use crate::files::seen;

/// What a Java virtual machine is called among the libraries of a process.
pub const JVM: &str = "a Java virtual machine";
/// Names by which the files of TLS libraries begin, and what people call them.
const LIBRARIES: &[(&str, &str)] = &[
    ("libssl.so", "OpenSSL"),
    ("libssl-", "OpenSSL"),
    ("libgnutls", "GnuTLS"),
    ("libnss3.so", "NSS"),
    ("libmbedtls", "Mbed TLS"),
    ("libwolfssl", "wolfSSL"),
    ("libjvm.so", JVM),
];
/// The variables that are kept: what names files and settings of TLS libraries and of programs. Nothing else of an environment, where
/// secrets lie, is looked at.
const VARIABLES: &[&str] = &[
    "CURL_CA_BUNDLE",
    "CURL_HOME",
    "GIT_CONFIG_GLOBAL",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CIPHER_LIST",
    "GIT_SSL_NO_VERIFY",
    "GIT_SSL_VERSION",
    "GNUTLS_SYSTEM_PRIORITY_FILE",
    "GODEBUG",
    "HOME",
    "JAVA_HOME",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "NODE_EXTRA_CA_CERTS",
    "NODE_OPTIONS",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "OPENSSL_CONF",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGSSLMAXPROTOCOLVERSION",
    "PGSSLMINPROTOCOLVERSION",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "WGETRC",
    "XDG_CONFIG_HOME",
    "_JAVA_OPTIONS",
];
/// How arguments begin that are kept.
const ARGUMENTS: &[&str] = &["-Djava.security.", "-Djdk.tls.", "-Dhttps."];
/// The most that is read of each file of a process, in bytes.
const MOST: u64 = 1 << 20;

/// A process, as /proc shows it. What cannot be read is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// The name of its program.
    pub name: String,
    /// The path of its program.
    pub program: String,
    /// TLS libraries in its memory.
    pub libraries: Vec<Loaded>,
    /// Those of its environment variables that bear on TLS.
    pub environment: Vec<(String, String)>,
    /// Those of its arguments that bear on TLS: system properties of Java.
    pub arguments: Vec<String>,
}

/// A library in the memory of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// What it is.
    pub title: &'static str,
    /// Its file.
    pub path: String,
}

/// How long what a process has loaded is taken to be the same.
const STAYS: Duration = Duration::from_secs(1);
/// How many processes are remembered.
const MOST_REMEMBERED: usize = 256;

/// The processes that connect. One that makes a thousand connections is not looked through a thousand times.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    known: HashMap<u32, (Instant, Process)>,
}

impl Processes {
    /// The process of a thread.
    pub(crate) fn of_thread(&mut self, thread: u32) -> Process {
        let status = fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
        let id = status.lines().find_map(|line| line.strip_prefix("Tgid:")?.trim().parse().ok()).unwrap_or(thread);
        let program = fs::read_link(format!("/proc/{id}/exe")).unwrap_or_default().to_string_lossy().into_owned();
        // The same number may be another program by now, and one without a library may yet load it.
        let fresh = |(since, known): &&(Instant, Process)| {
            known.program == program && !known.libraries.is_empty() && since.elapsed() < STAYS
        };
        if let Some((_, known)) = self.known.get(&id).filter(fresh) {
            return known.clone();
        }
        let process = Process::look(id, program);
        if self.known.len() >= MOST_REMEMBERED {
            self.known.clear();
        }
        self.known.insert(id, (Instant::now(), process.clone()));
        process
    }
}

impl Process {
    fn look(id: u32, program: String) -> Process {
        let name = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let words = |name: &str| -> Vec<String> {
            let bytes = file(id, name);
            bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
        };
        let variable = |word: String| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = words("environ").into_iter().filter_map(variable);
        Process {
            libraries: libraries(&String::from_utf8_lossy(&file(id, "maps"))),
            environment: environment.filter(|(name, _)| VARIABLES.contains(&name.as_str())).collect(),
            arguments: words("cmdline")
                .into_iter()
                .filter(|word| ARGUMENTS.iter().any(|known| word.starts_with(known)))
                .collect(),
            id,
            name,
            program,
        }
    }

    /// Whether it has loaded a library of this title.
    pub fn has(&self, title: &str) -> bool {
        self.libraries.iter().any(|loaded| loaded.title == title)
    }

    /// One of its environment variables.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What was kept of its environment and arguments, as the files of /proc with a line for each.
    pub fn files(&self) -> Vec<SeenFile> {
        let line = |text: &str| format!("{}\n", text.replace('\n', " "));
        let variables: String = self.environment.iter().map(|(name, value)| line(&format!("{name}={value}"))).collect();
        let arguments: String = self.arguments.iter().map(|argument| line(argument)).collect();
        let files = [("environ", variables), ("cmdline", arguments)].into_iter().filter(|(_, text)| !text.is_empty());
        let file = |(name, text): (&str, String)| SeenFile {
            path: format!("/proc/{}/{name}", self.id),
            real_path: None,
            content: seen(text.into_bytes()),
        };
        files.map(file).collect()
    }
}

/// A file of a process in /proc; what cannot be read is empty.
fn file(process: u32, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = fs::File::open(format!("/proc/{process}/{name}")).and_then(|file| file.take(MOST).read_to_end(&mut bytes));
    read.map_or_else(|_| Vec::new(), |_| bytes)
}

/// The TLS libraries among the mappings of a process (proc_pid_maps(5)).
fn libraries(mappings: &str) -> Vec<Loaded> {
    let mut found: Vec<Loaded> = Vec::new();
    for line in mappings.lines() {
        let Some(path) = line.find('/').and_then(|at| line.get(at..)) else { continue };
        let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
        let Some((_, title)) = LIBRARIES.iter().find(|(beginning, _)| name.starts_with(beginning)) else { continue };
        if !found.iter().any(|known| known.path == path) {
            found.push(Loaded { title, path: path.to_owned() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_found_once_among_the_mappings() {
        let mappings = "7f00-7f01 r--p 00000000 08:01 1 /usr/lib/x86_64-linux-gnu/libssl.so.3\n\
            7f01-7f02 r-xp 00001000 08:01 1 /usr/lib/x86_64-linux-gnu/libssl.so.3\n\
            7f03-7f04 rw-p 00000000 00:00 0 [heap]\n\
            7f05-7f06 r--p 00000000 08:01 2 /usr/lib/x86_64-linux-gnu/libc.so.6\n\
            7f07-7f08 r--p 00000000 08:01 3 /opt/my app/libgnutls.so.30.34.3\n";
        let found = libraries(mappings);
        assert_eq!(found.iter().map(|one| one.title).collect::<Vec<_>>(), ["OpenSSL", "GnuTLS"]);
        assert_eq!(found[1].path, "/opt/my app/libgnutls.so.30.34.3");
    }

    #[test]
    fn a_process_that_is_gone_is_empty() {
        let process = Processes::default().of_thread(u32::MAX);
        assert_eq!((process.program.as_str(), process.libraries.len()), ("", 0));
    }
}
