//! A process that connects: its program, and the TLS libraries that it has loaded.

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Names by which the files of TLS libraries begin, and what people call them.
const LIBRARIES: &[(&str, &str)] = &[
    ("libssl.so", "OpenSSL"),
    ("libssl-", "OpenSSL"),
    ("libgnutls", "GnuTLS"),
    ("libnss3.so", "NSS"),
    ("libmbedtls", "Mbed TLS"),
    ("libwolfssl", "wolfSSL"),
    ("libjvm.so", "a Java virtual machine"),
];
/// The most that is read of the list of a process's mappings, in bytes.
const MOST_MAPPINGS: u64 = 1 << 20;

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
        let mut mappings = Vec::new();
        // What cannot be read has nothing loaded that is known.
        let _ = fs::File::open(format!("/proc/{id}/maps")).and_then(|file| file.take(MOST_MAPPINGS).read_to_end(&mut mappings));
        Process { id, name, program, libraries: libraries(&String::from_utf8_lossy(&mappings)) }
    }
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
