//! The same captures as Wireshark's tshark reads them: server names, versions, suites, alerts and JA3 of each connection agree.
//! `TLSWHY_CAPTURES` names a directory with further captures. Without tshark (package `tshark`) the test says so and is skipped.
//!
//! Differences that stay, with their reason, are in [`KNOWN`].

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a test stops at what it did not expect"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use tlswhy_capture::Handshake;
use tlswhy_wire::fingerprint;

/// File, what differs, and why it may.
const KNOWN: &[(&str, &str, &str)] = &[
    ("zeek--tls13draft16-ff52.a01.pcap", "version", "a ServerHello of a draft before 22 has another form, which is not read"),
    ("zeek--tls13draft16-ff52.a01.pcap", "suite", "the same"),
    ("zeek--ssl.v3.pcap", "ja3", "tshark gives none for a hello in the form of SSLv2"),
    ("ark--https2-301-get.pcap", "ja3", "the same"),
    ("ndpi--tls_multiple_synack_different_seq.pcapng", "version", "tshark stays with the first of several SYN-ACKs"),
    ("ndpi--tls_multiple_synack_different_seq.pcapng", "suite", "the same"),
];

/// What is compared of one connection.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    name: BTreeSet<String>,
    version: BTreeSet<String>,
    suite: BTreeSet<String>,
    alerts: BTreeSet<String>,
    ja3: BTreeSet<String>,
}

/// Client's port and server's port: in small captures that is enough.
type Ports = (u16, u16);

fn ours(path: &Path) -> BTreeMap<Ports, Seen> {
    let mut all: BTreeMap<Ports, Seen> = BTreeMap::new();
    for handshake in common::handshakes(path) {
        let seen = all.entry((handshake.client.port(), handshake.server.port())).or_default();
        take(seen, &handshake);
    }
    all
}

fn take(seen: &mut Seen, handshake: &Handshake) {
    if let Some(hello) = &handshake.hello {
        seen.name.extend(hello.to_spec(handshake.record_version).server_name().map(str::to_owned));
        seen.ja3.insert(fingerprint::ja3(hello));
    }
    if let Some(answer) = handshake.answer.server_hello() {
        seen.version.insert(format!("{:#06x}", answer.selected_version.0));
        seen.suite.insert(format!("{:#06x}", answer.cipher_suite.0));
    }
    seen.alerts.extend(handshake.alerts.iter().map(|(_, _, description)| description.0.to_string()));
}

const FIELDS: [&str; 9] = [
    "tcp.srcport",
    "tcp.dstport",
    "tls.handshake.type",
    "tls.handshake.extensions_server_name",
    "tls.handshake.version",
    "tls.handshake.extensions.supported_version",
    "tls.handshake.ciphersuite",
    "tls.handshake.ja3_full",
    "tls.alert_message.desc",
];

fn theirs(path: &Path) -> Option<BTreeMap<Ports, Seen>> {
    let mut command = Command::new("tshark");
    command.args(["-r"]).arg(path).args(["-Y", "tls.handshake.type == 1 or tls.handshake.type == 2 or tls.alert_message.desc"]);
    command.args(["-o", "tcp.reassemble_out_of_order:TRUE"]);
    command.args(["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,", "-E", "separator=|"]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.output().ok()?;
    let mut all: BTreeMap<Ports, Seen> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let fields: Vec<Vec<&str>> =
            line.split('|').map(|field| field.split(',').filter(|value| !value.is_empty()).collect()).collect();
        let [source, destination, types, names, versions, supported, suites, _, alerts] = fields.as_slice() else { continue };
        let port = |values: &Vec<&str>| values.first().and_then(|port| port.parse().ok()).unwrap_or(0);
        let ports: Ports = (port(source), port(destination));
        let reversed = (ports.1, ports.0);
        // JA3 holds commas itself.
        let ja3 = line.split('|').nth(7).unwrap_or_default();
        if types.contains(&"1") {
            let seen = all.entry(ports).or_default();
            seen.name.extend(names.iter().map(|name| (*name).to_owned()));
            seen.ja3.extend((!ja3.is_empty()).then(|| ja3.to_owned()));
        } else if types.contains(&"2") {
            let seen = all.entry(reversed).or_default();
            // A HelloRetryRequest counts as a ServerHello here; both choose the same.
            let version = supported.first().or(versions.first());
            seen.version.extend(version.map(|version| (*version).to_owned()));
            seen.suite.extend(suites.first().map(|suite| (*suite).to_owned()));
        }
        if !alerts.is_empty() {
            let key = if all.contains_key(&ports) { ports } else { reversed };
            all.entry(key).or_default().alerts.extend(alerts.iter().map(|alert| (*alert).to_owned()));
        }
    }
    Some(all)
}

#[test]
fn names_versions_suites_alerts_and_ja3_are_those_of_tshark() {
    if Command::new("tshark").arg("--version").output().is_err() {
        println!("skipped: tshark is not installed (package tshark)");
        return;
    }
    let further = std::env::var_os("TLSWHY_CAPTURES").map(PathBuf::from);
    let mut paths = common::captures(&common::shipped());
    paths.extend(further.iter().flat_map(|directory| common::captures(directory)));
    let (mut compared, mut differences) = (0, Vec::new());
    for path in paths {
        let (connections, differing) = compare(&path);
        compared += connections;
        differences.extend(differing);
    }
    println!("{compared} connections compared");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(compared >= 18, "tshark must have read the captures: {compared}");
}

/// How many connections tshark sees, and in what we differ.
fn compare(path: &Path) -> (usize, Vec<String>) {
    let (mut compared, mut differences) = (0, Vec::new());
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    let ours = ours(path);
    for (ports, theirs) in theirs(path).unwrap() {
        // tshark takes the side that was seen first for the client.
        let nothing = Seen::default();
        let ours = ours.get(&ports).or_else(|| ours.get(&(ports.1, ports.0))).unwrap_or(&nothing);
        compared += 1;
        for (what, ours, theirs) in [
            ("name", &ours.name, &theirs.name),
            ("version", &ours.version, &theirs.version),
            ("suite", &ours.suite, &theirs.suite),
            ("alerts", &ours.alerts, &theirs.alerts),
            ("ja3", &ours.ja3, &theirs.ja3),
        ] {
            let known = KNOWN.iter().any(|(name, differs, _)| *name == file && *differs == what);
            if ours != theirs && !known {
                differences.push(format!("{file} {ports:?} {what}: we {ours:?}, tshark {theirs:?}"));
            }
        }
    }
    (compared, differences)
}

/// A real handshake of Ethernet with another header before each packet: the link type, and what makes the frame of the one that was.
type Dress = (&'static str, u32, fn(&[u8]) -> Vec<u8>);

const DRESSES: &[Dress] = &[
    ("null", 0, |frame| [&[2, 0, 0, 0], packet(frame)].concat()),
    ("null of a big machine", 0, |frame| [&[0, 0, 0, 2], packet(frame)].concat()),
    ("loop", 108, |frame| [&[0, 0, 0, 2], packet(frame)].concat()),
    ("raw", 101, |frame| packet(frame).to_vec()),
    ("raw of another system", 12, |frame| packet(frame).to_vec()),
    ("ipv4", 228, |frame| packet(frame).to_vec()),
    ("ppp", 9, |frame| [&[0xff, 3, 0, 0x21], packet(frame)].concat()),
    ("ppp with a short protocol", 9, |frame| [&[0x21], packet(frame)].concat()),
    ("ppp in hdlc", 50, |frame| [&[0xff, 3, 0, 0x21], packet(frame)].concat()),
    ("cisco hdlc", 104, |frame| [&[0x0f, 0, 8, 0], packet(frame)].concat()),
    ("802.11", 105, |frame| wireless(0x08, &[], frame)),
    ("802.11 with quality of service", 105, |frame| wireless(0x88, &[0, 0], frame)),
    ("radiotap", 127, |frame| [&[0, 0, 8, 0, 0, 0, 0, 0][..], &wireless(0x08, &[], frame)].concat()),
    ("vlan", 1, |frame| tagged(&[0x81, 0, 0, 5], frame)),
    ("qinq", 1, |frame| tagged(&[0x88, 0xa8, 0, 7, 0x81, 0, 0, 5], frame)),
    ("qinq of old", 1, |frame| tagged(&[0x91, 0, 0, 7, 0x81, 0, 0, 5], frame)),
    ("mpls", 1, |frame| [&frame[..12], &[0x88, 0x47, 0, 1, 1, 0xff], packet(frame)].concat()),
    ("pppoe", 1, |frame| {
        let length = u16::try_from(packet(frame).len() + 2).unwrap().to_be_bytes();
        [&frame[..12], &[0x88, 0x64, 0x11, 0, 0, 1], &length, &[0, 0x21], packet(frame)].concat()
    }),
    ("nflog", 239, |frame| {
        let length = u16::try_from(packet(frame).len() + 4).unwrap().to_le_bytes();
        let padding = vec![0; packet(frame).len().next_multiple_of(4) - packet(frame).len()];
        [&[2, 0, 0, 0], &length[..], &[9, 0], packet(frame), &padding].concat()
    }),
    ("gre", 1, |frame| {
        let length = u16::try_from(packet(frame).len() + 24).unwrap().to_be_bytes();
        let outer = [&[0x45, 0], &length[..], &[0, 1, 0, 0, 64, 47, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]].concat();
        [&frame[..14], &outer, &[0, 0, 8, 0], packet(frame)].concat()
    }),
];

/// The IP packet of an Ethernet frame.
fn packet(frame: &[u8]) -> &[u8] {
    &frame[14..]
}

fn tagged(tags: &[u8], frame: &[u8]) -> Vec<u8> {
    [&frame[..12], tags, &frame[12..]].concat()
}

fn wireless(kind: u8, further: &[u8], frame: &[u8]) -> Vec<u8> {
    let logical = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    [&[kind, 1, 0, 0], &[2; 18][..], &[0x10, 0], further, &logical, packet(frame)].concat()
}

#[test]
fn every_link_type_is_read_as_tshark_reads_it() {
    if Command::new("tshark").arg("--version").output().is_err() {
        println!("skipped: tshark is not installed (package tshark)");
        return;
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dressed.pcap");
    for name in ["tls13.pcap", "no-shared-cipher.pcap"] {
        let capture = std::fs::read(common::shipped().join(name)).unwrap();
        let bare = ours(&common::shipped().join(name));
        for (dress, link, frame_of) in DRESSES {
            let mut dressed = [&capture[..20], &link.to_le_bytes()].concat();
            let mut rest = &capture[24..];
            while !rest.is_empty() {
                let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
                let (record, behind) = rest.split_at(16 + length);
                let frame = frame_of(&record[16..]);
                let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
                dressed.extend([&record[..8], &length, &length, &frame].concat());
                rest = behind;
            }
            std::fs::write(&path, dressed).unwrap();
            assert_eq!(ours(&path), bare, "{name} in {dress}");
            let (compared, differences) = compare(&path);
            assert!(compared == bare.len() && differences.is_empty(), "{name} in {dress}: {compared}, {differences:?}");
        }
    }
}
