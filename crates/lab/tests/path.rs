//! Ways with something on them, in network namespaces: `tlswhy trace`, without any right, must find what it is and where.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at what it did not expect, and says what it skips"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;
use tlswhy_lab::path::namespaces::Rights;
use tlswhy_lab::path::wire::{Act, Match, Rule, Wire};
use tlswhy_lab::path::{Built, MINDED, NEUTRAL, Way};
use tlswhy_lab::runner::find_binary;
use tlswhy_lab::{Lab, StartError};

/// One way, and what must be said of it.
struct Case {
    id: &'static str,
    /// A wire besides the first, by its link.
    wire: Option<(usize, Match, Act)>,
    /// A rule of nftables in a router; its table is made.
    rule: Option<(usize, &'static str)>,
    /// Routers that send no ICMP.
    mute: &'static [usize],
    /// A link that takes no packet longer than this, and whether its routers say so.
    narrow: Option<(usize, u32, bool)>,
    /// A server that takes the first read for the whole is asked.
    reads_once: bool,
    /// The judged client.
    client: &'static str,
    name: &'static str,
    six: bool,
    rights: Rights,
    cause: Option<&'static str>,
    /// Not nearer and not farther than these hops.
    place: Option<(u64, u64)>,
    /// How far TCP ends.
    end: Option<u64>,
    /// The port that is asked for; nginx listens on 443.
    port: u16,
    /// A host on the last link that is not there is asked for.
    nobody: bool,
    /// What the finding says.
    says: &'static str,
    /// On a busy machine it may as well stay open: times differ too much, or a router has said all that it may in a second.
    or_open: bool,
}

const HEALTHY: Case = Case {
    id: "",
    wire: None,
    rule: None,
    mute: &[],
    narrow: None,
    reads_once: false,
    client: "openssl-3.0",
    name: NEUTRAL,
    six: false,
    rights: Rights::Root,
    cause: None,
    place: None,
    end: Some(5),
    port: 443,
    nobody: false,
    says: "",
    or_open: false,
};

/// A name is filtered.
const NAMED: Case = Case { name: MINDED, cause: Some("path-sni-filtering"), ..HEALTHY };
/// Every hello is stopped.
const EVERY: Case = Case { cause: Some("path-blocks-handshake"), ..HEALTHY };

/// No connection comes about.
const CLOSED: Case = Case { cause: Some("port-closed"), end: None, ..HEALTHY };
const SILENT: Case = Case { cause: Some("connect-timeout"), end: None, ..HEALTHY };

fn minds(link: usize, act: Act) -> Option<(usize, Match, Act)> {
    Some((link, Match::Name(MINDED.to_owned()), act))
}

/// A rule for hellos: the record's type and the message's, at the start of what TCP carries.
const REJECTS: &str = "tcp dport 443 @ih,0,8 22 @ih,40,8 1 reject with tcp reset";
const REFUSES: &str = "tcp dport 443 @ih,0,8 22 @ih,40,8 1 reject";
const DROPS: &str = "tcp dport 443 @ih,0,8 22 @ih,40,8 1 drop";
/// Rules for connection requests.
const RESETS_SYN: &str = "tcp dport 443 reject with tcp reset";
const REFUSES_SYN: &str = "tcp dport 443 reject";
const PROHIBITS_SYN: &str = "tcp dport 443 reject with icmpx type admin-prohibited";
const DROPS_SYN: &str = "tcp dport 443 drop";

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case { id: "healthy", ..HEALTHY },
        Case { id: "healthy, IPv6", six: true, ..HEALTHY },
        Case { id: "healthy, a hop says nothing", mute: &[2], ..HEALTHY },
        Case { id: "another name passes the filter", wire: minds(3, Act::Reset), ..HEALTHY },
    ];
    cases.extend([
        Case { id: "name, reset on link 2", wire: minds(2, Act::Reset), place: Some((1, 2)), ..NAMED },
        Case { id: "name, reset on link 4", wire: minds(4, Act::Reset), place: Some((3, 4)), ..NAMED },
        Case { id: "name, forged beside on link 3", wire: minds(3, Act::Forge), place: Some((2, 3)), ..NAMED },
        Case { id: "name, dropped on link 3", wire: minds(3, Act::Drop), place: Some((2, 3)), ..NAMED },
        Case { id: "name, dropped on link 3, IPv6", wire: minds(3, Act::Drop), six: true, place: Some((2, 3)), ..NAMED },
        Case { id: "name, reset on link 3, IPv6", wire: minds(3, Act::Reset), six: true, place: Some((2, 3)), ..NAMED },
        // Hop 3 says nothing, so that it may as well be behind it.
        Case {
            id: "name, dropped on link 3, a hop says nothing",
            wire: minds(3, Act::Drop),
            mute: &[3],
            place: Some((2, 4)),
            ..NAMED
        },
        Case {
            id: "name, reset on link 3, a hop says nothing",
            wire: minds(3, Act::Reset),
            mute: &[2, 3],
            place: Some((2, 3)),
            ..NAMED
        },
        Case {
            id: "name, reset on link 3, in a user namespace",
            wire: minds(3, Act::Reset),
            rights: Rights::User,
            place: Some((2, 3)),
            ..NAMED
        },
    ]);
    cases.extend([
        Case { id: "hello, router 2 rejects", rule: Some((2, REJECTS)), place: Some((2, 3)), ..EVERY },
        Case { id: "hello, router 2 rejects, IPv6", rule: Some((2, REJECTS)), six: true, place: Some((2, 3)), ..EVERY },
        Case { id: "hello, router 2 refuses by ICMP", rule: Some((2, REFUSES)), place: Some((2, 3)), or_open: true, ..EVERY },
        Case {
            id: "hello, router 3 refuses by ICMP, IPv6",
            rule: Some((3, REFUSES)),
            six: true,
            place: Some((3, 4)),
            or_open: true,
            ..EVERY
        },
        Case { id: "hello, router 3 drops", rule: Some((3, DROPS)), place: Some((3, 4)), ..EVERY },
        Case { id: "hello, dropped on link 2", wire: Some((2, Match::Hello, Act::Drop)), place: Some((1, 2)), ..EVERY },
        // The reset comes sooner than the server answers anything.
        Case { id: "name, reset on link 5", wire: minds(5, Act::Reset), place: Some((4, 5)), or_open: true, ..NAMED },
        Case { id: "name, the last link drops it", wire: minds(5, Act::Drop), cause: None, name: MINDED, ..HEALTHY },
        // What the server itself, or something right before it, does is nobody's on the way.
        Case { id: "hello, the server's own firewall drops", rule: Some((5, DROPS)), cause: None, ..EVERY },
        Case { id: "hello, the server's own firewall rejects", rule: Some((5, REJECTS)), cause: None, ..EVERY },
        Case { id: "another name passes the last link", wire: minds(5, Act::Reset), cause: None, ..HEALTHY },
    ]);
    cases.extend(unconnected());
    cases.extend(by_size());
    cases
}

/// Ways on which no connection comes about.
fn unconnected() -> Vec<Case> {
    let by_router_2 = "a router on the way, hop 2 (10.77.2.2)";
    let by_router_3 = "a router on the way, hop 3 (fd77:0:0:3::2)";
    vec![
        Case { id: "closed, nobody listens", port: 444, says: "answered by the address", end: Some(5), ..CLOSED },
        Case {
            id: "closed, nobody listens, IPv6",
            port: 444,
            six: true,
            says: "answered by the address",
            end: Some(5),
            ..CLOSED
        },
        Case {
            id: "closed, the host refuses by ICMP",
            rule: Some((5, REFUSES_SYN)),
            says: "it comes from the address itself, 5 hops away",
            ..CLOSED
        },
        Case { id: "closed, router 2 resets", rule: Some((2, RESETS_SYN)), place: Some((2, 3)), end: Some(3), ..CLOSED },
        Case {
            id: "closed, router 2 resets, a hop says nothing",
            rule: Some((2, RESETS_SYN)),
            mute: &[2],
            place: Some((2, 3)),
            end: Some(3),
            ..CLOSED
        },
        Case { id: "closed, router 2 refuses", rule: Some((2, REFUSES_SYN)), place: Some((2, 2)), says: by_router_2, ..CLOSED },
        Case {
            id: "closed, router 3 refuses, IPv6",
            rule: Some((3, REFUSES_SYN)),
            six: true,
            place: Some((3, 3)),
            says: by_router_3,
            ..CLOSED
        },
        Case {
            id: "no answer, router 2 prohibits",
            rule: Some((2, PROHIBITS_SYN)),
            place: Some((2, 2)),
            says: by_router_2,
            ..SILENT
        },
        Case {
            id: "no answer, router 3 prohibits, IPv6",
            rule: Some((3, PROHIBITS_SYN)),
            six: true,
            place: Some((3, 3)),
            says: "administratively prohibited",
            ..SILENT
        },
        Case { id: "no answer, router 2 drops", rule: Some((2, DROPS_SYN)), place: Some((2, 3)), ..SILENT },
        Case { id: "no answer, router 2 drops, IPv6", rule: Some((2, DROPS_SYN)), six: true, place: Some((2, 3)), ..SILENT },
        Case { id: "no answer, the host drops", rule: Some((5, DROPS_SYN)), place: Some((4, 5)), ..SILENT },
        Case {
            id: "no answer, no such host",
            nobody: true,
            place: Some((4, 4)),
            says: "it comes from a router on the way, hop 4 (10.77.4.2)",
            ..SILENT
        },
    ]
}

/// Ways and servers that mind a size. A hello of OpenSSL 3.6 has a post-quantum key share and takes two segments.
fn by_size() -> Vec<Case> {
    const SIZE: Case = Case { cause: Some("path-size-intolerance"), ..HEALTHY };
    const LONG: Case = Case { client: "openssl-3.6", ..SIZE };
    const DROPS_LONG: &str = "tcp dport 443 meta length > 1400 drop";
    const DROPS_LONG_ANSWERS: &str = "tcp sport 443 meta length > 1400 drop";
    let at_link_3 = |what, act| Some((3, what, act));
    let (mss_1260, mss_1240) =
        ("limited to 1260 bytes (MSS) the very same hello is answered, and with 1261 no more", "limited to 1240 bytes");
    vec![
        Case { id: "size, healthy, a narrow link says so", narrow: Some((3, 1300, true)), ..HEALTHY },
        Case { id: "size, healthy, a long hello", client: "openssl-3.6", ..HEALTHY },
        Case { id: "size, link 3 is narrow", narrow: Some((3, 1300, false)), place: Some((2, 3)), says: mss_1260, ..SIZE },
        Case {
            id: "size, link 3 is narrow, IPv6",
            narrow: Some((3, 1300, false)),
            six: true,
            place: Some((2, 3)),
            says: mss_1240,
            ..SIZE
        },
        Case {
            id: "size, link 3 is narrow, a long hello",
            narrow: Some((3, 1300, false)),
            place: Some((2, 3)),
            says: mss_1260,
            ..LONG
        },
        Case {
            id: "size, router 2 drops long packets",
            rule: Some((2, DROPS_LONG)),
            place: Some((2, 3)),
            says: "limited to 1360 bytes",
            ..LONG
        },
        Case {
            id: "size, router 2 drops long answers",
            rule: Some((2, DROPS_LONG_ANSWERS)),
            says: "it is the answer that is lost",
            ..SIZE
        },
        Case {
            id: "size, link 3 reads no second segment, reset",
            wire: at_link_3(Match::PartOfHello, Act::Reset),
            place: Some((2, 3)),
            says: "once it is sent in two segments",
            ..LONG
        },
        Case {
            id: "size, link 3 reads no second segment, drop",
            wire: at_link_3(Match::PartOfHello, Act::Drop),
            place: Some((2, 3)),
            says: "once it is sent in two segments",
            ..LONG
        },
        Case {
            id: "size, link 3 resets long segments",
            wire: at_link_3(Match::Longer(1400), Act::Reset),
            place: Some((2, 3)),
            says: "limited to 1412 bytes",
            ..LONG
        },
        Case { id: "size, the server reads once", reads_once: true, port: 444, cause: Some("server-size-intolerant"), ..LONG },
    ]
}

#[test]
fn each_interference_is_found_where_it_is() {
    let only = std::env::var("WAY").unwrap_or_default();
    let exact = cases().iter().any(|case| case.id == only);
    let is_wanted = |case: &Case| if exact { case.id == only } else { case.id.contains(&only) };
    let cases: Vec<Case> = cases().into_iter().filter(is_wanted).collect();
    let lab = Lab::new().unwrap();
    let binary = find_binary().unwrap();
    let (left, wrong) = (Mutex::new(cases), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let Some(case) = left.lock().unwrap().pop() else { return };
                    let began = Instant::now();
                    match run(&lab, &binary, &case) {
                        Ok(said) => {
                            println!("{:<50} {:>5} ms  {said}", case.id, began.elapsed().as_millis());
                        }
                        Err(StartError::Missing(what)) => println!("{}: skipped, for want of {what}", case.id),
                        Err(StartError::Failed(why)) => wrong.lock().unwrap().push(format!("{}: {why}", case.id)),
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Packets are lost and late, and nothing is at fault: `RUNS` times, as far as `SECONDS` go.
#[test]
fn loss_and_jitter_are_no_fault_of_the_path() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<usize>().ok());
    let (runs, seconds) = (number("RUNS").unwrap_or(20), number("SECONDS").unwrap_or(60));
    let wire = Wire { delay: Duration::from_millis(5), jitter: Duration::from_millis(200), lost: 50, rule: None };
    let Some(built) = build(&Way { wires: vec![(1, wire)], ..Way::default() }) else { return };
    let binary = find_binary().unwrap();
    let (began, limit) = (Instant::now(), Duration::from_secs(u64::try_from(seconds).unwrap()));
    let mut done = 0;
    while done < runs && (done == 0 || began.elapsed() < limit) {
        let report = trace(&built, &binary, &HEALTHY).unwrap();
        let cause = report["root_cause"].as_str().unwrap_or_default();
        assert!(cause.is_empty(), "run {done}: {cause}: {}", report["summary"]);
        assert!(report["paths"][0]["stopped"].is_null(), "run {done}: {}", report["paths"][0]);
        done += 1;
    }
    println!("{done} of {runs} runs in {} s", began.elapsed().as_secs());
}

/// For docs/benchmarks.md: `cargo test -p tlswhy-lab --test path costs -- --ignored --nocapture`.
#[test]
#[ignore = "a benchmark"]
fn what_a_way_of_twelve_hops_costs() {
    let binary = find_binary().unwrap();
    let first = Wire { delay: Duration::from_millis(10), ..Wire::default() };
    for (what, act) in [("clean", None), ("reset on link 6", Some(Act::Reset)), ("drop on link 6", Some(Act::Drop))] {
        let rule = |act| Rule { what: Match::Name(MINDED.to_owned()), act };
        let device = act.map(|act| (6, Wire { rule: Some(rule(act)), ..Wire::default() }));
        let wires = [(1, first.clone())].into_iter().chain(device).collect();
        let Some(built) = build(&Way { routers: 11, wires, ..Way::default() }) else { return };
        let case = if act.is_some() { NAMED } else { HEALTHY };
        for _ in 0..5 {
            let began = Instant::now();
            let report = trace(&built, &binary, &case).unwrap();
            let stopped = &report["paths"][0]["stopped"];
            println!(
                "{what}: tlswhy trace {} ms, measured for {:.0} ms, {} connections, {} {}",
                began.elapsed().as_millis(),
                report["evidence"]["paths"][0]["ended_ms"].as_f64().unwrap_or_default(),
                report["cost"]["connections"],
                report["root_cause"],
                stopped["before"]
            );
        }
        let address = built.server(false).to_string();
        for (program, words) in [
            ("/usr/bin/mtr", vec!["--tcp", "-P", "443", "-n", "-r", "-c", "1", &address]),
            ("/usr/bin/tcptraceroute", vec!["-n", &address, "443"]),
        ] {
            if !Path::new(program).exists() {
                println!("{what}: no {program}");
                continue;
            }
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            let began = Instant::now();
            let output = built.run_privileged(Path::new(program), &words).unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            println!("{what}: {program} {} ms: {}", began.elapsed().as_millis(), said.lines().last().unwrap_or_default());
        }
    }
}

/// A way that stands, unless this machine cannot have one.
fn build(way: &Way<'_>) -> Option<Built> {
    match way.build(&Lab::new().unwrap(), Path::new(env!("CARGO_BIN_EXE_tlswhy-lab"))) {
        Ok(built) => Some(built),
        Err(StartError::Missing(what)) => {
            println!("skipped, for want of {what}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn run(lab: &Lab, binary: &Path, case: &Case) -> Result<String, StartError> {
    let rule = case.rule.map(|(router, rule)| {
        let hook = if router == 5 { "input" } else { "forward" };
        let text = format!(
            "add table inet lab; add chain inet lab on {{ type filter hook {hook} priority 0; }}; add rule inet lab on {rule}"
        );
        (router, text)
    });
    let delay = Wire { delay: Duration::from_millis(5), ..Wire::default() };
    let mut wires = vec![(1, delay.clone())];
    if let Some((link, what, act)) = &case.wire {
        let rule = Some(Rule { what: what.clone(), act: *act });
        wires.push((*link, Wire { rule, ..delay }));
    }
    let way = Way {
        wires,
        rules: rule.iter().map(|(router, rule)| (*router, rule.as_str())).collect(),
        mute: case.mute.to_vec(),
        narrow: case.narrow,
        reads_once: case.reads_once,
        rights: case.rights,
        ..Way::default()
    };
    let built = way.build(lab, Path::new(env!("CARGO_BIN_EXE_tlswhy-lab")))?;
    record(&built, binary, case)?;
    let report = trace(&built, binary, case)?;
    let path = &report["paths"][0];
    let stopped = &path["stopped"];
    let place = stopped["after"].as_u64().zip(stopped["before"].as_u64());
    let cause = report["root_cause"].as_str();
    let said = format!(
        "{} {place:?}, {} connections: {}",
        cause.unwrap_or("-"),
        report["cost"]["connections"],
        report["summary"].as_str().unwrap_or_default()
    );
    let is_open = case.or_open && (cause, place) == (None, None);
    let is_said = report["findings"][0]["diagnosis"].as_str().unwrap_or_default().contains(case.says);
    if (!is_open && (cause, place) != (case.cause, case.place)) || path["end"].as_u64() != case.end || !is_said {
        return Err(StartError::Failed(format!("{said}\n{report:#}")));
    }
    Ok(said)
}

/// What an ordinary user's `tlswhy trace` reports.
fn trace(built: &Built, binary: &Path, case: &Case) -> Result<Value, StartError> {
    let output = built.run_unprivileged(binary, &words(built, "trace", case))?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| StartError::of(format!("{error}: {}", String::from_utf8_lossy(&output.stderr))))
}

/// A command for the server at the end, by its address.
fn words(built: &Built, command: &str, case: &Case) -> Vec<String> {
    let address = if case.nobody { built.nobody() } else { built.server(case.six) };
    let target = SocketAddr::new(address, case.port).to_string();
    let rest = ["--sni", case.name, "--client", case.client, "--ca", "ca.pem", "--format", "json"];
    [command, &target].into_iter().chain(rest).map(str::to_owned).collect()
}

/// Keeps what `tlswhy check` sees as the evidence of a case of core's, where that is wanted (`crates/core/tests/record`).
fn record(built: &Built, binary: &Path, case: &Case) -> Result<(), StartError> {
    let Some(folder) = std::env::var_os("RECORD") else { return Ok(()) };
    let mut arguments = words(built, "check", case);
    arguments.extend(["--save-evidence", "evidence.json"].map(str::to_owned));
    built.run_unprivileged(binary, &arguments)?;
    std::fs::copy(built.file("evidence.json"), Path::new(&folder).join("evidence.json")).map_err(StartError::of)?;
    Ok(())
}
