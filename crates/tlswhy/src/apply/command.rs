//! A program's own commands: no shell, no input, bounded in time and output.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Refused;

/// How long a command may take.
const LONGEST: Duration = Duration::from_secs(60);
/// How much of what it says is kept, in bytes.
const MOST: u64 = 64 * 1024;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    /// The command in one line.
    pub(crate) command: String,
    /// It ended with 0.
    pub(crate) good: bool,
    /// What it said.
    pub(crate) said: String,
}

/// Runs a command; `None` where there is none.
pub(super) fn run(words: &[String]) -> Result<Option<Ran>, Refused> {
    let Some((program, arguments)) = words.split_first() else { return Ok(None) };
    let command = words.join(" ");
    let cannot = |error: &std::io::Error| Refused::io(format!("cannot run `{command}`"), error);
    let mut output = unnamed_file().map_err(|error| cannot(&error))?;
    let (out, err) = (output.try_clone().map_err(|error| cannot(&error))?, output.try_clone().map_err(|error| cannot(&error))?);
    let started = Instant::now();
    let child = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(out).stderr(err).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return Ok(Some(Ran { said: format!("cannot run it: {error}"), command, good: false })),
    };
    let status = loop {
        match child.try_wait().map_err(|error| cannot(&error))? {
            Some(status) => break Some(status),
            None if started.elapsed() > LONGEST => {
                // Ended or not, it is waited for no longer.
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    let mut said = Vec::new();
    output.seek(SeekFrom::Start(0)).map_err(|error| cannot(&error))?;
    output.take(MOST).read_to_end(&mut said).map_err(|error| cannot(&error))?;
    let mut said = String::from_utf8_lossy(&said).trim().to_owned();
    if status.is_none() {
        said = format!("it did not end within {} s\n{said}", LONGEST.as_secs()).trim_end().to_owned();
    }
    Ok(Some(Ran { command, good: status.is_some_and(|status| status.success()), said }))
}

/// A file that goes away with its handle.
fn unnamed_file() -> std::io::Result<File> {
    let name = format!(".tlswhy-output-{}-{:?}", std::process::id(), thread::current().id());
    let path = std::env::temp_dir().join(name.replace(['(', ')'], ""));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
