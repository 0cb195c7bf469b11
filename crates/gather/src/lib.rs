//! All network input and output of tlswhy: names, connections, proxies, handshakes; what this machine's software shows; and the
//! certificates, keys and trust stores in its files.
//!
//! [`Live`] answers the questions of an examination. It only observes: an attempt keeps every byte, every time and the exact
//! way in which it ended, and says nothing of causes. A failed handshake is a good answer. Everything is asynchronous (tokio)
//! and bounded: time, bytes, and connections at once. Secrets and credentials are never kept.

mod base64;
mod certificates;
mod connection;
mod conversation;
mod der;
mod fetch;
mod file;
mod files;
mod handshake;
mod identity;
mod inventory;
mod key;
mod masks;
pub mod observe;
mod openssl;
mod pace;
#[cfg(target_os = "linux")]
pub mod packets;
#[cfg(target_os = "linux")]
mod path;
mod patience;
mod pem;
mod pin;
mod probe;
mod programs;
mod proxy;
mod records;
mod rpm;
mod software;
mod trust;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tlswhy_model::{Answer, Asked, Question, QuestionId, Resolution};
use tokio::net::lookup_host;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use certificates::{CertificateFile, DamagedBlock, local_pool, public_half, read_certificates};
pub use files::FilesOf;
pub use handshake::server::{OldServer, OldServerPolicy, OldServerReply};
pub use identity::ClientIdentity;
pub use inventory::Inventory;
#[cfg(target_os = "linux")]
pub use inventory::tls_library;
pub use openssl::observe_local_openssl;
pub use pace::Pace;
pub use pin::key_pin;
pub use proxy::{InvalidProxy, Proxy, proxy_from_environment};
pub use trust::{
    TrustCertificates, java_trust_store, load_trust_store, openssl_trust_store, p11_kit_trust_store, system_trust_store,
};

/// Answers questions over the network.
#[derive(Clone, Debug)]
pub struct Live {
    /// How long a TCP connection, or a name's addresses, are waited for.
    pub connect_timeout: Duration,
    /// How long an answer is waited for once the connection stands; each answer anew. Once a server was silent for so long,
    /// later rounds wait as long as its answers to other hellos call for ([`Pace`]).
    pub tls_timeout: Duration,
    /// The proxy that carries the connections.
    pub proxy: Option<Proxy>,
    /// What is shown to a server that asks for a client certificate, by the probes that want to.
    pub identity: Option<Arc<ClientIdentity>>,
    /// How many connections may stand at once.
    pub parallel: usize,
    /// How long to wait before each connection, in its place among those.
    pub pause: Duration,
    /// What earlier rounds showed of the server's pace.
    pub pace: Pace,
    /// Whose files are looked at.
    pub files: FilesOf,
}

impl Default for Live {
    /// Three seconds to connect and for each answer, four connections at once, no proxy.
    fn default() -> Live {
        Live {
            connect_timeout: Duration::from_secs(3),
            tls_timeout: Duration::from_secs(3),
            proxy: None,
            identity: None,
            parallel: 4,
            pause: Duration::ZERO,
            pace: Pace::default(),
            files: FilesOf::default(),
        }
    }
}

impl Live {
    /// Answers a batch of questions in parallel, in the order in which they were asked. `started` is when the examination
    /// began; the attempts' times count from it. Dropping the future ends every connection.
    pub async fn ask(&self, asked: Vec<Asked>, started: Instant) -> Vec<(QuestionId, Answer)> {
        let live = Arc::new(self.clone());
        let places = Arc::new(Semaphore::new(self.parallel.max(1)));
        let mut answers: Vec<(QuestionId, Answer)> = asked.iter().map(|asked| (asked.id, Answer::Unavailable)).collect();
        let mut tasks = JoinSet::new();
        for (index, Asked { id, round, question, .. }) in asked.into_iter().enumerate() {
            let (live, places) = (Arc::clone(&live), Arc::clone(&places));
            tasks.spawn(async move {
                let _place = places.acquire_owned().await;
                (index, live.answer(id, round, question, started).await)
            });
        }
        while let Some(finished) = tasks.join_next().await {
            if let Ok((index, answer)) = finished
                && let Some(place) = answers.get_mut(index)
            {
                place.1 = answer;
            }
        }
        answers
    }

    async fn answer(&self, id: QuestionId, round: u32, question: Question, started: Instant) -> Answer {
        match question {
            Question::Resolve { host } => Answer::Resolved(resolve(host, self.connect_timeout).await),
            Question::Probe(probe) => {
                tokio::time::sleep(self.pause).await;
                let live = Live { tls_timeout: self.pace.wait(&probe, self.tls_timeout), ..self.clone() };
                let attempt = probe::attempt(&live, id, round, *probe, started).await;
                self.pace.learn(&attempt);
                Answer::Attempted(Box::new(attempt))
            }
            #[cfg(target_os = "linux")]
            Question::Path(question) => path::measure(self, *question, started)
                .await
                .map_or(Answer::Unavailable, |measured| Answer::Measured(Box::new(measured))),
            // Elsewhere the system does not tell which router a packet came to.
            #[cfg(not(target_os = "linux"))]
            Question::Path(_) => Answer::Unavailable,
            Question::Fetch { url, request } => Answer::Fetched(fetch::fetch(self, url, request).await),
            Question::Files { paths } => Answer::Files(self.files.look(paths).await),
            Question::Software { products } => Answer::Software(self.files.software(products).await),
            Question::Records { name, record_type } => Answer::Records(records::records(name, record_type).await),
        }
    }
}

/// Asks the system's resolver, as ordinary programs do.
async fn resolve(host: String, limit: Duration) -> Resolution {
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Resolution { host, addresses: vec![address], error: None, elapsed_ms: 0.0 };
    }
    let began = Instant::now();
    let (addresses, error) = match timeout(limit, lookup_host((host.as_str(), 0))).await {
        Ok(Ok(found)) => {
            let mut addresses = Vec::new();
            for address in found.map(|address| address.ip()) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            (addresses, None)
        }
        Ok(Err(error)) => (Vec::new(), Some(error.to_string())),
        Err(_) => (Vec::new(), Some(format!("no answer within {} ms", limit.as_millis()))),
    };
    let error = error.or_else(|| addresses.is_empty().then(|| "the name has no address".to_owned()));
    Resolution { host, addresses, error, elapsed_ms: connection::milliseconds(began.elapsed()) }
}
