//! Starting a program as a server, and stopping it: [`Lab`], [`Launch`], [`Server`].

use std::any::Any;
use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use crate::{
    fake, old_openssl,
    pki::{Pki, Workshop},
};

/// How long a server may take until it accepts connections.
const START_LIMIT: Duration = Duration::from_secs(20);

/// What the servers share: certificates and a place for what takes long to make.
#[derive(Debug)]
pub struct Lab {
    /// Holds the certificates; see [`crate::pki`].
    pub pki: PathBuf,
    cache: PathBuf,
}

impl Lab {
    /// Makes the certificates unless they are there from an earlier run, in `target/lab`.
    pub fn new() -> io::Result<Lab> {
        let cache = target_dir()?.join("lab");
        Ok(Lab { pki: Pki::cached(&cache)?, cache })
    }

    /// The OpenSSL 1.1.0i program; built on the first call, which takes a minute.
    pub fn old_openssl(&self) -> Result<PathBuf, StartError> {
        if find_program("cc").is_none() || find_program("perl").is_none() || find_program("make").is_none() {
            return Err(StartError::Missing("cc, perl and make, to build OpenSSL 1.1.0i".into()));
        }
        old_openssl::program(&self.cache).map_err(|error| StartError::Failed(error.to_string()))
    }

    /// A server whose `{pki}` is a directory of its own, with what `make` puts there; `www` in it is served over HTTP.
    pub fn with_certificates(
        &self,
        make: impl FnOnce(&Workshop) -> io::Result<()>,
        start: impl FnOnce(&Lab) -> Result<Server, StartError>,
    ) -> Result<Server, StartError> {
        let scratch = Scratch::new().map_err(StartError::of)?;
        let files = fake::files(scratch.path().join("www"))?;
        let workshop = Workshop::new(scratch.path(), files.port, free_port()).map_err(StartError::of)?;
        make(&workshop).map_err(StartError::of)?;
        let lab = Lab { pki: scratch.path().to_owned(), cache: self.cache.clone() };
        let mut server = start(&lab)?;
        server.pki = Some(lab.pki);
        server.keep(files);
        server.keep(scratch);
        Ok(server)
    }

    /// The right to run scenarios, held until it is dropped. Without it they would only run slower, so errors are let go.
    pub fn turn(&self) -> Option<File> {
        let file = File::create(self.cache.join("turn.lock")).ok()?;
        file.lock().ok()?;
        Some(file)
    }

    /// Starts a program and waits until its port accepts connections.
    pub fn launch(&self, launch: Launch<'_>) -> Result<Server, StartError> {
        let program = find_program(launch.program).ok_or_else(|| StartError::Missing(launch.program.into()))?;
        let scratch = launch.dir.map_or_else(Scratch::new, |dir| Ok(Scratch::given(dir))).map_err(StartError::of)?;
        let mut server = Server::at(launch.port.unwrap_or_else(free_port));
        let fill = |text: &str| {
            text.replace("{port}", &server.port.to_string())
                .replace("{dir}", &scratch.path().display().to_string())
                .replace("{pki}", &self.pki.display().to_string())
        };
        for (name, text) in launch.files {
            let path = scratch.path().join(name);
            let parent = path.parent().unwrap_or(scratch.path());
            fs::create_dir_all(parent).and_then(|()| fs::write(&path, fill(&text))).map_err(StartError::of)?;
        }
        if !launch.setup.is_empty() {
            shell(&format!("cd '{}' && {{ {} ; }}", scratch.path().display(), fill(launch.setup)))?;
        }
        if let Some(user) = launch.user {
            shell(&format!("chown -R {user} '{}'", scratch.path().display()))?;
        }
        let log = scratch.path().join("output.log");
        let output = File::create(&log).map_err(StartError::of)?;
        let errors = output.try_clone().map_err(StartError::of)?;

        // The kernel ends the server should this thread die without dropping it.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if let Some(user) = launch.user {
            command.args([&format!("--reuid={user}"), "--clear-groups"]);
        }
        command.arg("--").arg(program).args(launch.args.iter().map(|argument| fill(argument)));
        command.envs(launch.env.iter().map(|(name, value)| (name, fill(value))));
        command.current_dir(scratch.path()).process_group(0);
        command.stdin(Stdio::piped()).stdout(output).stderr(errors);
        let mut child = command.spawn().map_err(StartError::of)?;
        let stdin = child.stdin.take();
        server.dir = Some(scratch.path().to_owned());
        let mut process = Process { child, _stdin: stdin, scratch };
        let ready = wait_until_accepting(server.port, launch.first_words, &mut process.child);
        let said = fs::read_to_string(&log).unwrap_or_default();
        server.keep(process);
        ready.map_err(|reason| StartError::Failed(format!("{}: {reason}\n{}", launch.program, said.trim())))?;
        Ok(server)
    }
}

/// A program to be started. In `files`, `args` and `env`, `{port}`, `{dir}` (a directory of its own) and `{pki}` are
/// replaced.
#[derive(Clone, Debug, Default)]
pub struct Launch<'a> {
    /// Its name, looked for in `PATH` and in the system's directories for servers.
    pub program: &'a str,
    /// Its arguments.
    pub args: Vec<String>,
    /// Files made in `{dir}` beforehand: name and contents.
    pub files: Vec<(&'a str, String)>,
    /// A shell script run beforehand in `{dir}`, with this process' rights.
    pub setup: &'a str,
    /// Environment.
    pub env: Vec<(&'a str, String)>,
    /// The account to run as, for servers that refuse to run as root.
    pub user: Option<&'a str>,
    /// The port; without it a free one.
    pub port: Option<u16>,
    /// What is said on the connection that finds out whether the server is there; empty: nothing.
    pub first_words: &'a str,
    /// The directory that `{dir}` stands for, which outlives the server; without it a new one.
    pub dir: Option<&'a Path>,
}

/// A running server: stopped when dropped.
pub struct Server {
    /// Its port on 127.0.0.1.
    pub port: u16,
    pki: Option<PathBuf>,
    dir: Option<PathBuf>,
    kept: Vec<Box<dyn Any + Send>>,
}

impl Server {
    /// A server that is nothing yet but a port.
    pub fn at(port: u16) -> Server {
        Server { port, pki: None, dir: None, kept: Vec::new() }
    }

    /// Keeps something alive as long as the server, dropped in this order.
    pub fn keep(&mut self, thing: impl Any + Send) {
        self.kept.push(Box::new(thing));
    }

    /// The same with another port in front, as a relay has it.
    pub fn behind(mut self, mut front: Server) -> Server {
        front.kept.append(&mut self.kept);
        front.pki = front.pki.or(self.pki);
        front
    }

    /// The directory of its program; that of the temporary files where there is none.
    pub fn dir(&self) -> PathBuf {
        self.dir.clone().unwrap_or_else(std::env::temp_dir)
    }

    /// Where its certificates are: its own, or those that all servers share.
    pub fn pki<'a>(&'a self, lab: &'a Lab) -> &'a Path {
        self.pki.as_deref().unwrap_or(&lab.pki)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("port", &self.port).finish_non_exhaustive()
    }
}

/// Why a server is not running.
#[derive(Clone, Debug)]
pub enum StartError {
    /// The program, or something it needs, is not installed here: the scenario is skipped.
    Missing(String),
    /// It ought to have started.
    Failed(String),
}

impl StartError {
    /// Any failure to start.
    pub fn of(error: impl fmt::Display) -> StartError {
        StartError::Failed(error.to_string())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Missing(what) => write!(f, "not installed: {what}"),
            StartError::Failed(why) => write!(f, "did not start: {why}"),
        }
    }
}

/// A port that nobody listens on, outside the range from which the kernel takes ports for outgoing connections, and in a block
/// that no other process of the lab takes ports from: between the look and the server's start somebody else might.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = own_block();
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = first + step % PORTS_OF_A_BLOCK;
        if is_free(port) {
            return port;
        }
    }
}

/// Bound and not listened on: a copy that a program inherits while it is being started keeps nobody from the port.
fn is_free(port: u16) -> bool {
    let bound = Socket::new(Domain::IPV4, Type::STREAM, None).and_then(|socket| {
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())
    });
    bound.is_ok()
}

const FIRST_PORT: u16 = 20_000;
const BLOCKS: u16 = 12;
/// More than one process takes in all: a port that comes up again may not be free yet.
const PORTS_OF_A_BLOCK: u16 = 1000;

/// The first port of the block that this process has locked for itself; the lock lasts as long as the process.
fn own_block() -> u16 {
    static BLOCK: OnceLock<(u16, Option<File>)> = OnceLock::new();
    let (first, _lock) = BLOCK.get_or_init(|| {
        let mine = (std::process::id() % u32::from(BLOCKS)) as u16;
        for step in 0..BLOCKS {
            let block = (mine + step) % BLOCKS;
            let path = std::env::temp_dir().join(format!("tlswhy-lab-ports-{block}.lock"));
            if let Ok(file) = File::create(path)
                && file.try_lock().is_ok()
            {
                return (FIRST_PORT + block * PORTS_OF_A_BLOCK, Some(file));
            }
        }
        // More processes than blocks: two share one.
        (FIRST_PORT + mine * PORTS_OF_A_BLOCK, None)
    });
    *first
}

/// Where a program is: in `PATH`, or where Debian puts servers.
pub fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.exists());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.extend(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from));
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    places.extend(versions.map(|version| version.path().join("bin")));
    places.into_iter().map(|place| place.join(name)).find(|file| file.is_file())
}

/// The directory into which cargo built this very program.
pub fn target_dir() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let marked = program.ancestors().find(|dir| dir.join("CACHEDIR.TAG").exists()).map(Path::to_owned);
    marked.ok_or_else(|| io::Error::other("not run from a cargo target directory"))
}

/// Runs a shell command that must succeed.
pub fn shell(script: &str) -> Result<(), StartError> {
    let output = Command::new("sh").args(["-c", script]).output().map_err(StartError::of)?;
    if output.status.success() {
        return Ok(());
    }
    Err(StartError::Failed(format!("{script}: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

/// Whether this process is root: some servers refuse it, one or two need it.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|found| std::os::unix::fs::MetadataExt::uid(&found) == 0)
}

/// A directory of its own for one server, readable for servers that run under another account.
struct Scratch {
    path: PathBuf,
    _made: Option<TempDir>,
}

impl Scratch {
    fn new() -> io::Result<Scratch> {
        let dir = tempfile::Builder::new().prefix("tlswhy-lab-").tempdir()?;
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755))?;
        Ok(Scratch { path: dir.path().to_owned(), _made: Some(dir) })
    }

    /// One that somebody else keeps.
    fn given(path: &Path) -> Scratch {
        Scratch { path: path.to_owned(), _made: None }
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// A server's processes, which end with this value. Standard input stays open: `openssl s_server` ends with it.
struct Process {
    child: Child,
    _stdin: Option<ChildStdin>,
    scratch: Scratch,
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut victims = format!("-{}", self.child.id());
        // Postfix and Dovecot put their daemons into groups of their own; they stay in the directory.
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            if fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(self.scratch.path())) {
                victims += &format!(" {}", entry.file_name().to_string_lossy());
            }
        }
        let _ = shell(&format!("kill -9 {victims}"));
        let _ = self.child.wait();
    }
}

fn wait_until_accepting(port: u16, first_words: &str, child: &mut Child) -> Result<(), String> {
    let start = Instant::now();
    while start.elapsed() < START_LIMIT {
        if let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            if !first_words.is_empty() {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
                let answer = stream.write_all(first_words.as_bytes()).and_then(|()| stream.read(&mut [0; 1024]));
                // A program that listens before it has read everything may still give up.
                if answer.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset) {
                    thread::sleep(Duration::from_millis(10));
                    continue;
                }
            }
            return Ok(());
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("ended with {status}"));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(format!("does not accept connections after {} s", START_LIMIT.as_secs()))
}
