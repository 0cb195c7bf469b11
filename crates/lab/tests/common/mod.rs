//! What the tests of `check --full` share.

use std::io::Write as _;
use std::process::Command;

use tlswhy_lab::runner::find_binary;
use tlswhy_lab::{Server, StartError};
use tlswhy_model::{Report, ServerView};

/// What `tlswhy check --full` says of a server.
pub(crate) fn inventory(server: &Server) -> (ServerView, Report) {
    let (report, _) = check(server, &["--full".to_owned()]);
    (report.server.clone().expect("an inventory"), report)
}

/// What `tlswhy check` says of a server, and its exit status.
pub(crate) fn check(server: &Server, options: &[String]) -> (Report, Option<i32>) {
    let output = Command::new(find_binary().unwrap())
        .args(["check", "--format", "json", "--address", "127.0.0.1", "--sni", "good.example.test"])
        .args(options)
        .arg(format!("good.example.test:{}", server.port))
        .output()
        .unwrap();
    let report: Report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (report, output.status.code())
}

/// The server, or a word on why this machine has none.
pub(crate) fn started(server: Result<Server, StartError>) -> Option<Server> {
    match server {
        Ok(server) => Some(server),
        Err(StartError::Missing(what)) => {
            // Not by the macro, whose output the test harness hides where a test passes.
            let _ = writeln!(std::io::stderr(), "skipped: no {what}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}
