//! Batches of questions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod common;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{hello, live, peer, probe_of};
use tlswhy_gather::Live;
use tlswhy_model::{Answer, Asked, Depth, Ending, Opening, Question, Resolution};
use tokio::io::AsyncReadExt as _;
use tokio::time::sleep;

fn asked(id: u32, question: Question) -> Asked {
    Asked { id, round: 2, question, purpose: "test".to_owned() }
}

async fn resolve(host: &str) -> Resolution {
    let question = Question::Resolve { host: host.to_owned() };
    match live().ask(vec![asked(1, question)], Instant::now()).await.pop() {
        Some((1, Answer::Resolved(resolution))) => resolution,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn names_are_resolved_as_the_system_does() {
    let localhost = resolve("localhost").await;
    assert!(localhost.error.is_none() && localhost.addresses.iter().all(|address| address.is_loopback()), "{localhost:?}");
    assert_eq!(resolve("127.0.0.1").await.addresses, [Ipv4Addr::LOCALHOST]);
    assert_eq!(resolve("[::1]").await.addresses.len(), 1);
    // A label of 64 letters cannot even be asked for.
    let impossible = resolve(&"a".repeat(64)).await;
    assert!(impossible.addresses.is_empty() && impossible.error.is_some_and(|error| !error.is_empty()));
}

#[tokio::test]
async fn a_batch_runs_in_parallel_up_to_the_limit_and_is_answered_in_order() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = (Arc::clone(&now), Arc::clone(&most));
    let address = peer(move |mut stream| {
        let (now, most) = (Arc::clone(&counted.0), Arc::clone(&counted.1));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 2048]).await;
            sleep(Duration::from_millis(60)).await;
            now.fetch_sub(1, Ordering::SeqCst);
        }
    })
    .await;
    let probe = || Box::new(probe_of(address, Opening::Hello { hello: hello() }, Depth::Flight));
    let batch = [9, 3, 7, 1, 5, 2].map(|id| asked(id, Question::Probe(probe())));
    let began = Instant::now();
    let answers = Live { parallel: 3, ..live() }.ask(batch.to_vec(), began).await;
    assert!(began.elapsed() < Duration::from_millis(60 * 6));
    assert_eq!(most.load(Ordering::SeqCst), 3);
    assert_eq!(answers.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [9, 3, 7, 1, 5, 2]);
    for (id, answer) in answers {
        let Answer::Attempted(attempt) = answer else { panic!("{answer:?}") };
        assert_eq!((attempt.id, attempt.round), (id, 2));
        assert!(matches!(attempt.ending, Ending::Closed { .. }));
    }
}
