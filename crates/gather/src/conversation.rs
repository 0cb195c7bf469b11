//! Holds the plain-text dialogue before TLS, tunnel or STARTTLS, and writes down who said what.

use std::time::{Duration, Instant};

use tlswhy_model::{Awaited, Bytes, Ending, Exchange, Speaker};
use tlswhy_wire::dialogue::{Dialogue, Step};

use crate::connection::{Arrival, Connection};
use crate::handshake::Flight;
use crate::patience::TIMEOUTS_IN_ALL;
use crate::probe::ending_of;
use crate::proxy::Proxy;

/// One dialogue as it goes.
pub(crate) struct Conversation<'a> {
    partner: Speaker,
    proxy: Option<&'a Proxy>,
    exchanges: Vec<Exchange>,
    leftover: Vec<u8>,
}

impl<'a> Conversation<'a> {
    /// `proxy` is the partner if that is a proxy: its credentials are left out of the record.
    pub(crate) fn new(partner: Speaker, proxy: Option<&'a Proxy>) -> Conversation<'a> {
        Conversation { partner, proxy, exchanges: Vec::new(), leftover: Vec::new() }
    }

    /// Holds the dialogue until TLS may start. `before` is what the other side said already.
    pub(crate) async fn hold(
        &mut self,
        connection: &mut Connection,
        mut dialogue: Box<dyn Dialogue>,
        before: Vec<u8>,
        limit: Duration,
    ) -> Result<(), Ending> {
        let awaited = if self.partner == Speaker::Proxy { Awaited::TunnelAnswer } else { Awaited::UpgradeAnswer };
        let mut step = dialogue.receive(b"");
        let mut input = before;
        let held_since = Instant::now();
        loop {
            match step {
                Step::Continue { send } => self.say(connection, &send, limit).await,
                Step::Ready { send, consumed } => {
                    self.say(connection, &send, limit).await;
                    self.leftover = input.split_off(consumed.min(input.len()));
                    self.hear(&input);
                    return Ok(());
                }
                Step::Refused { reason } => {
                    self.hear(&input);
                    return Err(match self.partner {
                        Speaker::Proxy => Ending::TunnelRefused { reason },
                        _ => Ending::UpgradeRefused { reason },
                    });
                }
            }
            let began = Instant::now();
            // An answer that comes in drips does not go on for ever.
            let left = limit.saturating_mul(TIMEOUTS_IN_ALL).saturating_sub(held_since.elapsed());
            if left.is_zero() {
                return Err(ending_of(Arrival::Quiet, awaited, held_since.elapsed()));
            }
            if input.is_empty() {
                match connection.receive(&mut input, limit.min(left)).await {
                    Arrival::Data => input = self.masked(input),
                    other => return Err(ending_of(other, awaited, began.elapsed())),
                }
            }
            step = dialogue.receive(&input);
            if matches!(step, Step::Continue { .. }) {
                self.hear(&input);
                input.clear();
            }
        }
    }

    async fn say(&mut self, connection: &mut Connection, bytes: &[u8], limit: Duration) {
        if bytes.is_empty() {
            return;
        }
        connection.send(&Flight::from(bytes.to_vec()), limit).await;
        let shown = self.masked(bytes.to_vec());
        self.note(Speaker::Client, &shown);
    }

    fn masked(&self, said: Vec<u8>) -> Vec<u8> {
        match self.proxy {
            Some(proxy) => proxy.masked(&said),
            None => said,
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.note(self.partner, bytes);
        }
    }

    fn note(&mut self, from: Speaker, bytes: &[u8]) {
        match self.exchanges.last_mut() {
            Some(last) if last.from == from => last.bytes.0.extend_from_slice(bytes),
            _ => self.exchanges.push(Exchange { from, bytes: Bytes(bytes.to_vec()) }),
        }
    }

    /// Who said what, and what came after the dialogue.
    pub(crate) fn into_record(mut self) -> (Vec<Exchange>, Vec<u8>) {
        // Once more, for what came in pieces.
        if let Some(proxy) = self.proxy {
            for exchange in &mut self.exchanges {
                exchange.bytes.0 = proxy.masked(&exchange.bytes);
            }
        }
        (self.exchanges, self.leftover)
    }
}
