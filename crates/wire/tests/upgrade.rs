//! Transcripts of upgrades (`upgrade/<name>/`) and tunnels (`tunnel/<name>/`), cut at every byte.
//!
//! A line `S` is what the peer sends, `C` what we send, with `\r`, `\n`, `\xNN` and `\\` as escapes; `=` is how it ends;
//! `>` is what a tunnel is asked for; `#` says where the transcript is from.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not expect")]

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tlswhy_wire::dialogue::{Dialogue, LIMIT, Step};
use tlswhy_wire::tunnel::{http_connect, socks5};
use tlswhy_wire::upgrade::{UPGRADES, upgrade};

#[test]
fn every_transcript_ends_as_it_says_wherever_it_is_cut() {
    for transcript in transcripts("upgrade").into_iter().chain(transcripts("tunnel")) {
        let blocks: Vec<&[u8]> = transcript.blocks.iter().map(|block| block.peer.as_slice()).collect();
        transcript.check(&blocks, "whole");
        transcript.check(&blocks.concat().chunks(1).collect::<Vec<_>>(), "bytes");
        transcript.check(&[&blocks.concat()], "pipelined");
        for index in 0..blocks.len() {
            for cut in 1..blocks[index].len() {
                let (before, after) = blocks[index].split_at(cut);
                let mut pieces = blocks.clone();
                pieces.splice(index..=index, [before, after]);
                transcript.check(&pieces, &format!("block {index} cut at {cut}"));
            }
        }
        transcript.check_turns();
    }
}

/// What one side sends, and whether TLS may start behind it.
fn said(step: Step) -> (Vec<u8>, bool) {
    match step {
        Step::Continue { send } => (send, false),
        Step::Ready { send, .. } => (send, true),
        Step::Refused { reason } => panic!("{reason}"),
    }
}

#[test]
fn each_side_of_an_upgrade_leads_the_other_to_tls() {
    for known in UPGRADES {
        for cut in [1, 7, LIMIT] {
            let (mut client, mut server) = ((known.start)("good.example.test"), (known.serve)());
            let (mut to_server, mut client_is_ready) = said(client.receive(b""));
            let (mut to_client, mut server_is_ready) = said(server.receive(b""));
            while !(client_is_ready && server_is_ready) {
                assert!(!to_server.is_empty() || !to_client.is_empty(), "{}: both wait", known.name);
                for piece in std::mem::take(&mut to_server).chunks(cut) {
                    let (send, ready) = said(server.receive(piece));
                    to_client.extend(send);
                    server_is_ready |= ready;
                }
                for piece in std::mem::take(&mut to_client).chunks(cut) {
                    let (send, ready) = said(client.receive(piece));
                    to_server.extend(send);
                    client_is_ready |= ready;
                }
            }
        }
    }
}

#[test]
fn a_client_that_asks_for_no_tls_is_told_so() {
    for (name, says) in [
        ("smtp", &b"EHLO a\r\nMAIL FROM:<a@b.test>\r\nQUIT\r\n"[..]),
        ("imap", b"a1 LOGIN a b\r\na2 LOGOUT\r\n"),
        ("postgres", b"\0\0\0\x10\0\x03\0\0user\0a\0\0"),
        ("mysql", b"\x05\0\0\x01\0\0\0\0a"),
        ("ldap", b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"),
        ("xmpp", b"<?xml version='1.0'?><stream:stream to='a' version='1.0'><auth/>"),
        ("pop3", b"\x16\x03\x01"),
    ] {
        for cut in [1, LIMIT] {
            let mut server = (upgrade(name).unwrap().serve)();
            server.receive(b"");
            let last = says.chunks(cut).map(|piece| server.receive(piece)).last();
            assert!(matches!(&last, Some(Step::Refused { reason }) if reason.contains("the client")), "{name}: {last:?}");
        }
    }
}

#[test]
fn what_follows_is_left_to_tls() {
    for transcript in transcripts("upgrade").into_iter().chain(transcripts("tunnel")).filter(|it| it.ending == "ready") {
        let mut dialogue = transcript.start();
        dialogue.receive(b"");
        let (last, before) = transcript.blocks.split_last().unwrap();
        for block in before {
            assert!(matches!(dialogue.receive(&block.peer), Step::Continue { .. }), "{}", transcript.name);
        }
        let input = [&last.peer[..], b"\x16\x03\x03"].concat();
        match dialogue.receive(&input) {
            Step::Ready { consumed, .. } => {
                assert_eq!(consumed, last.peer.len(), "{}", transcript.name)
            }
            step => panic!("{}: {step:?}", transcript.name),
        }
    }
}

#[test]
fn every_upgrade_has_a_success_and_a_refusal() {
    let ends: BTreeSet<(String, bool)> =
        transcripts("upgrade").iter().map(|transcript| (transcript.protocol.clone(), transcript.ending == "ready")).collect();
    let wanted = UPGRADES.iter().flat_map(|upgrade| [(upgrade.name.to_owned(), false), (upgrade.name.to_owned(), true)]);
    assert_eq!(ends, wanted.collect());
}

#[test]
fn endless_talk_is_refused() {
    let starters = UPGRADES.iter().map(|upgrade| (upgrade.start)("example.test"));
    let tunnels = [http_connect("example.test", 443, None), socks5("example.test", 443, None)];
    for mut dialogue in starters.chain(tunnels) {
        dialogue.receive(b"");
        for noise in [&b"220-"[..], b"\r\n"] {
            let mut step = dialogue.receive(noise);
            for _ in 0..LIMIT / 1000 + 1 {
                step = dialogue.receive(&[b'x'; 1000]);
            }
            assert!(matches!(step, Step::Refused { .. }));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Damaged talks, cut anywhere: no panic, and the same ending as in one piece.
    #[test]
    fn cuts_change_nothing_in_damaged_talks(
        which: prop::sample::Index,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let all: Vec<Transcript> = transcripts("upgrade").into_iter().chain(transcripts("tunnel")).collect();
        let transcript = which.get(&all);
        let mut stream: Vec<u8> = transcript.blocks.iter().flat_map(|block| block.peer.clone()).collect();
        prop_assume!(!stream.is_empty());
        for (place, byte) in damage {
            *place.get_mut(&mut stream) = byte;
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let (sent, ending) = transcript.play(&[&stream]);
        let (sent_in_pieces, ending_in_pieces) = transcript.play(&pieces);
        prop_assert_eq!(&ending, &ending_in_pieces);
        if !ending.starts_with("refused") {
            prop_assert_eq!(sent, sent_in_pieces);
        }
    }
}

#[test]
fn long_words_of_the_server_are_cut() {
    let mut dialogue = (upgrade("smtp").unwrap().start)("example.test");
    dialogue.receive(b"");
    let Step::Refused { reason } = dialogue.receive(&[&b"554 "[..], &[b'x'; 1000], b"\r\n"].concat()) else { panic!() };
    assert_eq!(reason.chars().filter(|&letter| letter == 'x').count(), 196);
}

#[test]
fn socks5_limits_are_told_before_a_byte_is_sent() {
    let long = "x".repeat(256);
    let refused = |mut dialogue: Box<dyn Dialogue>| matches!(dialogue.receive(b""), Step::Refused { .. });
    assert!(refused(socks5(&long, 443, None)));
    assert!(refused(socks5("example.test", 443, Some((&long, "b")))));
    assert!(refused(socks5("example.test", 443, Some(("a", "")))));
    assert!(!refused(socks5(&long[1..], 443, Some((&long[1..], &long[1..])))));
}

struct Transcript {
    name: String,
    protocol: String,
    /// What a tunnel is asked for.
    asked: Vec<String>,
    opening: Vec<u8>,
    blocks: Vec<Block>,
    ending: String,
}

/// What the peer says, and what we answer.
#[derive(Default)]
struct Block {
    peer: Vec<u8>,
    answer: Vec<u8>,
}

impl Transcript {
    fn read(path: &Path) -> Transcript {
        let protocol = path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let name = format!("{protocol}/{}", path.file_stem().unwrap().to_str().unwrap());
        let mut transcript =
            Transcript { name, protocol, asked: vec![], opening: vec![], blocks: vec![], ending: String::new() };
        for line in fs::read_to_string(path).unwrap().lines() {
            let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
            match (kind, transcript.blocks.last_mut()) {
                ("S", Some(block)) if block.answer.is_empty() => block.peer.extend(unescape(rest)),
                ("S", _) => transcript.blocks.push(Block { peer: unescape(rest), answer: vec![] }),
                ("C", Some(block)) => block.answer.extend(unescape(rest)),
                ("C", None) => transcript.opening.extend(unescape(rest)),
                (">", _) => {
                    transcript.asked = rest.split(' ').map(|word| String::from_utf8(unescape(word)).unwrap()).collect();
                }
                ("=", _) => transcript.ending = rest.to_owned(),
                ("#", _) => {}
                _ => panic!("{}: {line}", transcript.name),
            }
        }
        assert!(!transcript.ending.is_empty(), "{} has no ending", transcript.name);
        transcript
    }

    fn start(&self) -> Box<dyn Dialogue> {
        let asked: Vec<&str> = self.asked.iter().map(String::as_str).collect();
        match *asked {
            ["http_connect", host, port] => http_connect(host, port.parse().unwrap(), None),
            ["http_connect", host, port, user, password] => http_connect(host, port.parse().unwrap(), Some((user, password))),
            ["socks5", host, port] => socks5(host, port.parse().unwrap(), None),
            ["socks5", host, port, user, password] => socks5(host, port.parse().unwrap(), Some((user, password))),
            _ => (upgrade(&self.protocol).unwrap().start)("server.example.test"),
        }
    }

    /// Feeds the pieces; what is sent in all, and the ending, if it comes to one.
    fn play(&self, pieces: &[&[u8]]) -> (Vec<u8>, String) {
        let mut dialogue = self.start();
        let mut sent = Vec::new();
        for piece in std::iter::once(&&b""[..]).chain(pieces) {
            match dialogue.receive(piece) {
                Step::Continue { send } => sent.extend(send),
                Step::Ready { send, .. } => {
                    sent.extend(send);
                    return (sent, "ready".to_owned());
                }
                Step::Refused { reason } => return (sent, format!("refused {reason}")),
            }
        }
        (sent, "unfinished".to_owned())
    }

    /// Feeds the pieces; all that is sent, and the ending, must be as the transcript says.
    fn check(&self, pieces: &[&[u8]], how: &str) {
        let (sent, ending) = self.play(pieces);
        assert_eq!(ending, self.ending, "{} {how}", self.name);
        // A refusal in the same input takes the place of what would have been sent before it.
        if ending == "ready" {
            let answers: Vec<&[u8]> = self.blocks.iter().map(|block| block.answer.as_slice()).collect();
            let expected = [&self.opening, &answers.concat()[..]].concat();
            assert_eq!(sent.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{} {how}", self.name);
        }
    }

    /// Each answer comes when the peer's words before it are complete, and not before.
    fn check_turns(&self) {
        let mut dialogue = self.start();
        let mut answer = match dialogue.receive(b"") {
            Step::Continue { send } => send,
            step => return assert!(self.blocks.is_empty(), "{}: {step:?}", self.name),
        };
        assert_eq!(answer.escape_ascii().to_string(), self.opening.escape_ascii().to_string(), "{}", self.name);
        for block in &self.blocks {
            let (last, before) = block.peer.split_last().unwrap();
            if !block.answer.is_empty() {
                assert_eq!(dialogue.receive(before), Step::Continue { send: vec![] }, "{}", self.name);
                answer = match dialogue.receive(&[*last]) {
                    Step::Continue { send } | Step::Ready { send, .. } => send,
                    step => panic!("{}: {step:?}", self.name),
                };
                assert_eq!(answer.escape_ascii().to_string(), block.answer.escape_ascii().to_string(), "{}", self.name);
            }
        }
    }
}

fn transcripts(folder: &str) -> Vec<Transcript> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut paths: Vec<PathBuf> = entries(&root).iter().flat_map(|protocol| entries(protocol)).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| Transcript::read(path)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next().unwrap() {
                b'r' => b'\r',
                b'n' => b'\n',
                b'x' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            },
            other => other,
        });
    }
    bytes
}
