//! A generated configuration, and how it comes to lie on the disk and to run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tlswhy_model::InstalledSoftware;

use crate::server::{Lab, Launch, Server, StartError, free_port};

/// How many ports a case may have: `{port}`, `{port2}`, `{port3}`, `{port4}`.
pub(super) const PORTS: usize = 4;

/// One generated configuration. In `files`, `args`, `setup` and `env`, `{dir}` (its directory), `{port}`, `{port2}`, `{port3}`,
/// `{port4}` and `{pki}` are replaced.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// Its name: `DIALECT/WORDS`.
    pub id: String,
    /// The dialect that reads it.
    pub dialect: &'static str,
    /// The program to start, and the one that is skipped over where it is not installed.
    pub program: &'static str,
    /// Versions of products, where the program is not the one that is asked for its version.
    pub assumed: &'static [(&'static str, &'static str)],
    /// Files of the machine without which the case is skipped, such as a module.
    pub needs: &'static [&'static str],
    /// Its arguments.
    pub args: Vec<String>,
    /// The files, by their path in `{dir}`.
    pub files: Vec<(String, Vec<u8>)>,
    /// The main file, by its path in `{dir}`.
    pub main: String,
    /// A shell script run in `{dir}` before the start.
    pub setup: String,
    /// Environment.
    pub env: Vec<(&'static str, String)>,
    /// The account to run as.
    pub user: Option<&'static str>,
    /// What is said on the connection that finds out whether the server is there.
    pub first_words: &'static str,
    /// Where it is looked at. The first port has to be listened on.
    pub looks: Vec<Look>,
    /// Whether it was made so that the program refuses to start with it.
    pub refused: bool,
}

/// One way to look at a server: everything is measured anew for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Which port: 0 is `{port}`, 1 is `{port2}` …
    pub port: usize,
    /// The server name; `None` sends none.
    pub name: Option<String>,
    /// STARTTLS protocol.
    pub upgrade: Option<&'static str>,
}

impl Look {
    /// At the first port, with this server name; empty sends none.
    pub fn name(name: &str) -> Look {
        Look { name: (!name.is_empty()).then(|| name.to_owned()), ..Look::default() }
    }

    /// The same at another port.
    pub fn at(self, port: usize) -> Look {
        Look { port, ..self }
    }

    /// The same after a STARTTLS dialogue.
    pub fn after(self, upgrade: &'static str) -> Look {
        Look { upgrade: Some(upgrade), ..self }
    }

    /// As the list of mismatches and the table have it: `port2/good.example.test`.
    pub fn label(&self) -> String {
        let port = if self.port == 0 { String::new() } else { (self.port + 1).to_string() };
        format!("port{port}/{}", self.name.as_deref().unwrap_or("-"))
    }
}

/// A case on the disk.
#[derive(Debug)]
pub struct Placed {
    dir: TempDir,
    /// The ports, in the order of their placeholders.
    pub ports: [u16; PORTS],
    pki: PathBuf,
}

impl Case {
    /// Writes its files into a directory of their own and takes ports for it.
    ///
    /// # Errors
    /// A file cannot be written, or the script of `setup` fails.
    pub fn place(&self, lab: &Lab) -> Result<Placed, StartError> {
        let dir = tempfile::Builder::new().prefix("tlswhy-configs-").tempdir().map_err(StartError::of)?;
        let ports = std::array::from_fn(|_| free_port());
        let placed = Placed { dir, ports, pki: lab.pki.clone() };
        placed.write(&self.files).map_err(StartError::of)?;
        if !self.setup.is_empty() {
            crate::server::shell(&format!("cd '{}' && {{ {} ; }}", placed.dir().display(), placed.fill(&self.setup)))?;
        }
        Ok(placed)
    }

    /// What is known of a product, with the version that the case takes for granted.
    pub fn assume(&self, found: InstalledSoftware) -> InstalledSoftware {
        match self.assumed.iter().find(|(product, _)| *product == found.product) {
            Some((_, version)) => {
                InstalledSoftware { version: Some((*version).to_owned()), source: "the case".to_owned(), ..found }
            }
            None => found,
        }
    }

    /// Starts the program.
    ///
    /// # Errors
    /// It is not installed, or does not start: then the error has its words.
    pub fn start(&self, lab: &Lab, placed: &Placed) -> Result<Server, StartError> {
        if let Some(missing) = self.needs.iter().find(|path| !Path::new(path).exists()) {
            return Err(StartError::Missing((*missing).to_owned()));
        }
        lab.launch(Launch {
            program: self.program,
            args: self.args.iter().map(|argument| placed.fill(argument)).collect(),
            env: self.env.iter().map(|(name, value)| (*name, placed.fill(value))).collect(),
            user: self.user,
            port: placed.ports.first().copied(),
            first_words: self.first_words,
            dir: Some(placed.dir()),
            ..Launch::default()
        })
    }
}

impl Placed {
    /// Where its files lie.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The port of a look.
    pub fn port(&self, look: &Look) -> u16 {
        self.ports.get(look.port).copied().unwrap_or(0)
    }

    /// The path of a file of the case.
    pub fn path(&self, name: &str) -> String {
        self.dir().join(name).display().to_string()
    }

    /// The text with its placeholders replaced.
    pub fn fill(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.fill_bytes(text.as_bytes())).into_owned()
    }

    /// The same for what need not be text.
    fn fill_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut words =
            vec![("{dir}".to_owned(), self.dir().display().to_string()), ("{pki}".to_owned(), self.pki.display().to_string())];
        for (index, port) in self.ports.iter().enumerate() {
            let number = if index == 0 { String::new() } else { (index + 1).to_string() };
            words.push((format!("{{port{number}}}"), port.to_string()));
        }
        let mut filled = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            match words.iter().find(|(word, _)| rest.starts_with(word.as_bytes())) {
                Some((word, value)) => {
                    filled.extend(value.as_bytes());
                    rest = rest.get(word.len()..).unwrap_or_default();
                }
                None => {
                    filled.push(*first);
                    rest = after;
                }
            }
        }
        filled
    }

    fn write(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        // Servers that run under another account read it too.
        fs::set_permissions(self.dir(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        for (name, bytes) in files {
            let path = self.dir().join(name);
            fs::create_dir_all(path.parent().unwrap_or(self.dir()))?;
            fs::write(path, self.fill_bytes(bytes))?;
        }
        Ok(())
    }
}
