//! What follows the handshake: the server's objections, its first words, and the answer to one small request.

use tlswhy_model::{Awaited, Ending};

use super::Turn;

/// How much of the application's words is kept, in bytes.
const KEPT: usize = 4096;

/// What was heard after the handshake.
#[derive(Default)]
pub(super) struct Application {
    stage: Stage,
    heard: Vec<u8>,
    settled: bool,
}

#[derive(Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Handshake,
    Listening,
    Asked,
}

impl Application {
    /// Our last flight is on its way.
    pub(super) fn open(&mut self) {
        self.stage = Stage::Listening;
    }

    pub(super) fn is_open(&self) -> bool {
        self.stage != Stage::Handshake
    }

    /// The request is on its way.
    pub(super) fn ask(&mut self) {
        self.stage = Stage::Asked;
        self.heard.clear();
    }

    pub(super) fn was_asked(&self) -> bool {
        self.stage == Stage::Asked
    }

    pub(super) fn awaited(&self) -> Awaited {
        if self.was_asked() { Awaited::Application } else { Awaited::AfterFinished }
    }

    /// A ticket came: the server is content with our flight.
    pub(super) fn settle(&mut self) {
        self.settled = true;
    }

    pub(super) fn is_settled(&self) -> bool {
        self.settled && !self.was_asked()
    }

    /// Application data.
    pub(super) fn take(&mut self, content: &[u8]) -> Turn {
        let room = KEPT.saturating_sub(self.heard.len()).min(content.len());
        self.heard.extend_from_slice(content.get(..room).unwrap_or_default());
        self.settled |= !content.is_empty();
        if self.was_asked() && self.heard.len() >= KEPT { Err(Ending::Completed) } else { Ok(None) }
    }

    /// Something said beside the application, kept in its place.
    pub(super) fn note(&mut self, said: &[u8]) {
        self.heard = said.to_vec();
    }

    pub(super) fn was_heard(&self) -> bool {
        !self.heard.is_empty()
    }

    /// The whole head of an HTTP response, and as much of its body as it announces.
    pub(super) fn has_heard_enough(&self) -> bool {
        let Some(end) = self.heard.windows(4).position(|window| window == b"\r\n\r\n") else {
            return false;
        };
        let (head, body) = self.heard.split_at(end + 4);
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        length.and_then(|length| length.trim().parse().ok()).is_some_and(|length: usize| body.len() >= length)
    }

    pub(super) fn into_heard(self) -> Option<Vec<u8>> {
        (!self.heard.is_empty()).then_some(self.heard)
    }
}

/// The small request of [`tlswhy_model::Depth::Request`].
pub(super) fn request(host: &str) -> Vec<u8> {
    // A host that could break out of its line is not sent.
    let host: String = host.chars().filter(|c| c.is_ascii_graphic()).collect();
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
    format!("GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: tlswhy\r\nAccept: */*\r\nConnection: close\r\n\r\n").into_bytes()
}
