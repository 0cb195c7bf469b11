//! One probe, one connection, one attempt.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tlswhy_model::{Attempt, Awaited, Bytes, Ending, Exchange, Opening, Probe, Speaker, Timing, printable};
use tlswhy_wire::dialogue::Dialogue;
use tlswhy_wire::{ContentType, Transcript, other, upgrade};
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::Live;
use crate::connection::{Arrival, Clock, Connection, dial};
use crate::conversation::Conversation;
use crate::handshake::{Flight, Handshake, Step};
use crate::patience::Patience;

/// How much is kept of an answer that is not TLS, in bytes.
const KEPT_OF_OTHERS: usize = 4096;
/// How long the rest of such an answer is waited for, once some of it came.
const REST_OF_OTHERS: Duration = Duration::from_millis(50);
/// How many characters of its first line are quoted.
const QUOTED: usize = 200;

/// Makes the attempt that a probe asks for.
pub(crate) async fn attempt(live: &Live, id: u32, round: u32, probe: Probe, examination: Instant) -> Attempt {
    let clock = Clock::start(examination);
    let mut course = Course {
        live,
        clock,
        timing: clock.timing(),
        address: probe.address.map(|address| SocketAddr::new(address, probe.port)),
        dialogue: Vec::new(),
        sent: Vec::new(),
        received: Vec::new(),
        decrypted: None,
        application: None,
        round_trip: Duration::ZERO,
    };
    let ending = course.run(&probe).await.unwrap_or_else(|ending| ending);
    course.timing.ended_ms = clock.now();
    Attempt {
        id,
        round,
        probe,
        address: course.address.map(|address| address.to_string()),
        timing: course.timing,
        dialogue: course.dialogue,
        sent: Bytes(course.sent),
        received: Bytes(course.received),
        decrypted: course.decrypted.map(Bytes),
        application: course.application.map(Bytes),
        ending,
        remarks: Vec::new(),
        forged_reset: Vec::new(),
    }
}

/// What an attempt has brought so far.
struct Course<'a> {
    live: &'a Live,
    clock: Clock,
    timing: Timing,
    address: Option<SocketAddr>,
    dialogue: Vec<Exchange>,
    sent: Vec<u8>,
    received: Vec<u8>,
    decrypted: Option<Vec<u8>>,
    application: Option<Vec<u8>>,
    /// How long a question and its answer take on this way, at most.
    round_trip: Duration,
}

impl Course<'_> {
    /// Both arms are endings; an error is merely an early one.
    async fn run(&mut self, probe: &Probe) -> Result<Ending, Ending> {
        let upgrade = match &probe.upgrade {
            None => None,
            Some(name) => Some(
                upgrade::upgrade(name)
                    .ok_or_else(|| Ending::Impossible { reason: format!("there is no upgrade {:?}", printable(name, 40)) })?,
            ),
        };
        let opening = match &probe.opening {
            Opening::Hello { hello } => {
                let made = Handshake::new(hello.clone(), probe.depth);
                let (mut handshake, flight) = made.map_err(|reason| Ending::Impossible { reason })?;
                if let Some(identity) = self.live.identity.as_ref().filter(|_| probe.with_identity) {
                    handshake.identify(Arc::clone(identity));
                }
                if let Some(trial) = probe.trial {
                    handshake.attempt_beyond(trial);
                }
                Some((handshake, flight))
            }
            Opening::Replay { records } => Some((Handshake::replayed(), Flight::from(records.to_vec()))),
            Opening::Plain { .. } => None,
        };
        let mut connection = self.connect(probe).await?;
        if let Some(upgrade) = upgrade {
            let server_name = match &probe.opening {
                Opening::Hello { hello } => hello.server_name().unwrap_or(&probe.host),
                _ => &probe.host,
            };
            let dialogue = (upgrade.start)(server_name);
            let (outcome, leftover) = self.converse(&mut connection, dialogue, Speaker::Server, Vec::new()).await;
            self.received = leftover;
            outcome.map_err(|ending| self.other_than(upgrade.name, ending))?;
        }
        match (opening, &probe.opening) {
            (Some((handshake, flight)), _) => Ok(self.shake_hands(&mut connection, handshake, flight, &probe.host).await),
            (None, Opening::Plain { request }) => Ok(self.ask_plainly(&mut connection, request).await),
            (None, _) => Err(Ending::Impossible { reason: "nothing to open with".to_owned() }),
        }
    }

    /// TCP, and the tunnel if there is a proxy.
    async fn connect(&mut self, probe: &Probe) -> Result<Connection, Ending> {
        let connect_timeout = self.live.connect_timeout;
        let Some(proxy) = &self.live.proxy else {
            let address = match self.address {
                Some(address) => address,
                None => self.resolve(&probe.host, probe.port).await?,
            };
            self.address = Some(address);
            let began = Instant::now();
            let stream = dial(address, connect_timeout).await?;
            self.timing.connected_ms = Some(self.clock.now());
            self.round_trip = began.elapsed();
            return Ok(Connection::new(stream));
        };
        if self.address.is_none() && !proxy.resolves() {
            self.address = Some(self.resolve(&probe.host, probe.port).await?);
        }
        let unreachable = |why: String| Ending::TunnelRefused { reason: format!("the proxy {proxy} {why}") };
        let resolved = self.resolve(proxy.host(), proxy.port()).await;
        let address = resolved.map_err(|ending| unreachable(in_words(&ending)))?;
        let stream = dial(address, connect_timeout).await.map_err(|ending| unreachable(in_words(&ending)))?;
        let mut connection = Connection::new(stream);
        let began = Instant::now();
        let target = self.address.map_or_else(|| probe.host.clone(), |address| address.ip().to_string());
        let dialogue = proxy.dialogue(&target, probe.port);
        let (outcome, leftover) = self.converse(&mut connection, dialogue, Speaker::Proxy, Vec::new()).await;
        outcome?;
        self.timing.connected_ms = Some(self.clock.now());
        self.round_trip = began.elapsed();
        self.received = leftover;
        Ok(connection)
    }

    async fn resolve(&self, host: &str, port: u16) -> Result<SocketAddr, Ending> {
        let failed = |why: String| Ending::Impossible { reason: format!("cannot resolve {}: {why}", printable(host, 255)) };
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Ok(SocketAddr::new(address, port));
        }
        match timeout(self.live.connect_timeout, lookup_host((host, port))).await {
            Ok(Ok(mut addresses)) => addresses.next().ok_or_else(|| failed("it has no address".to_owned())),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed("no answer in time".to_owned())),
        }
    }

    /// Holds a dialogue; gives its ending, if it was not well, and what came after it.
    async fn converse(
        &mut self,
        connection: &mut Connection,
        dialogue: Box<dyn Dialogue>,
        partner: Speaker,
        before: Vec<u8>,
    ) -> (Result<(), Ending>, Vec<u8>) {
        let before = if self.received.is_empty() { before } else { std::mem::take(&mut self.received) };
        let proxy = self.live.proxy.as_ref().filter(|_| partner == Speaker::Proxy);
        let mut conversation = Conversation::new(partner, proxy);
        let outcome = conversation.hold(connection, dialogue, before, self.live.tls_timeout).await;
        let (exchanges, leftover) = conversation.into_record();
        self.dialogue.extend(exchanges);
        (outcome, leftover)
    }

    /// A refusal by a server that turns out to speak another protocol than the one we tried.
    fn other_than(&self, upgrade: &str, ending: Ending) -> Ending {
        let spoken = self.dialogue.iter().find(|exchange| exchange.from == Speaker::Server);
        let spoken = spoken.and_then(|exchange| other::recognise(&exchange.bytes));
        match (&ending, spoken) {
            (Ending::UpgradeRefused { .. }, Some(found)) if found.name != upgrade && found.upgrade != Some(upgrade) => {
                Ending::NotTls {
                    protocol: Some(found.name.to_owned()),
                    upgrade: found.upgrade.map(str::to_owned),
                    detail: printable(&found.detail, QUOTED),
                }
            }
            _ => ending,
        }
    }

    /// Sends a hello and goes on as far as the handshake goes.
    async fn shake_hands(
        &mut self,
        connection: &mut Connection,
        mut handshake: Handshake,
        hello: Flight,
        host: &str,
    ) -> Ending {
        let server_name = host.to_owned();
        let ending = self.drive(connection, &mut handshake, hello, &server_name).await;
        let (decrypted, application) = handshake.into_decrypted();
        self.decrypted = (!decrypted.is_empty()).then_some(decrypted);
        self.application = application;
        ending
    }

    async fn drive(&mut self, connection: &mut Connection, handshake: &mut Handshake, hello: Flight, host: &str) -> Ending {
        let tls_timeout = self.live.tls_timeout;
        let mut patience = Patience::new(tls_timeout, self.round_trip);
        self.send(connection, &hello).await;
        self.timing.hello_sent_ms = Some(self.clock.now());
        let mut step = handshake.step(&self.received);
        loop {
            match step {
                Step::Ended(ending) => return ending,
                Step::NotTls => return self.not_tls(connection).await,
                Step::Send(flight) => {
                    self.send(connection, &flight).await;
                    step = handshake.step(&self.received);
                    continue;
                }
                Step::Wait => {}
            }
            let awaited = handshake.awaited();
            let arrival = match patience.wait(handshake) {
                // Nothing more to hear; a close that may be there already is none of our business.
                Duration::ZERO if awaited == Awaited::AfterFinished => Arrival::Quiet,
                wait => self.receive(connection, wait).await,
            };
            step = match arrival {
                Arrival::Data => {
                    patience.progress();
                    handshake.step(&self.received)
                }
                Arrival::Quiet if awaited == Awaited::AfterFinished => {
                    patience.progress();
                    handshake.quiet(host)
                }
                Arrival::Quiet | Arrival::Closed | Arrival::Reset
                    if awaited == Awaited::Application && handshake.has_heard() =>
                {
                    Step::Ended(Ending::Completed)
                }
                other => Step::Ended(ending_of(other, awaited, patience.waited())),
            };
        }
    }

    /// Collects a little more of what is not TLS, and says what it is.
    async fn not_tls(&mut self, connection: &mut Connection) -> Ending {
        while self.received.len() < KEPT_OF_OTHERS {
            if self.receive(connection, REST_OF_OTHERS).await != Arrival::Data {
                break;
            }
        }
        self.received.truncate(KEPT_OF_OTHERS);
        let echo = other::recognise_echo(&self.sent, &self.received);
        match echo.or_else(|| other::recognise(&self.received)) {
            Some(found) => Ending::NotTls {
                protocol: Some(found.name.to_owned()),
                upgrade: found.upgrade.map(str::to_owned),
                detail: printable(&found.detail, QUOTED),
            },
            None => Ending::NotTls { protocol: None, upgrade: None, detail: first_line(&self.received) },
        }
    }

    /// Sends something that is not TLS (maybe nothing) and listens.
    async fn ask_plainly(&mut self, connection: &mut Connection, request: &[u8]) -> Ending {
        if !request.is_empty() {
            self.send(connection, &Flight::from(request.to_vec())).await;
            self.timing.hello_sent_ms = Some(self.clock.now());
        }
        let began = Instant::now();
        while self.received.is_empty() {
            let arrival = self.receive(connection, self.live.tls_timeout.saturating_sub(began.elapsed())).await;
            if arrival != Arrival::Data {
                return ending_of(arrival, Awaited::ServerHello, began.elapsed());
            }
        }
        let ending = self.not_tls(connection).await;
        // A TLS server may answer what it does not understand with an alert.
        let transcript = Transcript::of_server(&self.received);
        let is_alert = transcript.records.first().is_some_and(|record| record.content_type == ContentType::ALERT);
        match transcript.alerts.first() {
            Some(alert) if is_alert => Ending::Alert {
                level: alert.level,
                description: alert.description,
                awaited: Awaited::ServerHello,
                encrypted: false,
            },
            _ => ending,
        }
    }

    async fn send(&mut self, connection: &mut Connection, flight: &Flight) {
        self.sent.extend_from_slice(&flight.bytes);
        connection.send(flight, self.live.tls_timeout).await;
    }

    async fn receive(&mut self, connection: &mut Connection, wait: Duration) -> Arrival {
        let arrival = connection.receive(&mut self.received, wait).await;
        if arrival == Arrival::Data && self.timing.first_byte_ms.is_none() {
            self.timing.first_byte_ms = Some(self.clock.now());
        }
        arrival
    }
}

/// The ending that it is when this came instead of what was awaited.
pub(crate) fn ending_of(arrival: Arrival, awaited: Awaited, waited: Duration) -> Ending {
    match arrival {
        Arrival::Closed => Ending::Closed { awaited },
        Arrival::Reset => Ending::Reset { awaited },
        Arrival::Data | Arrival::Quiet => Ending::TimedOut { awaited, waited_ms: waited.as_millis() as u64 },
        Arrival::TooMuch => Ending::Malformed {
            what: "more than is read of one connection".to_owned(),
            at: crate::connection::MOST_RECEIVED as u64,
        },
        Arrival::Broken(detail) => Ending::Unreachable { detail },
    }
}

/// Why a proxy itself could not be reached.
fn in_words(ending: &Ending) -> String {
    match ending {
        Ending::Refused => "refuses the connection".to_owned(),
        Ending::ConnectTimedOut { waited_ms } => format!("does not answer within {waited_ms} ms"),
        Ending::Unreachable { detail } => format!("cannot be reached: {detail}"),
        Ending::Impossible { reason } => format!("cannot be used: {reason}"),
        _ => "resets the connection".to_owned(),
    }
}

fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).find(|line| !line.is_empty()).unwrap_or_default();
    printable(&String::from_utf8_lossy(line), QUOTED)
}
