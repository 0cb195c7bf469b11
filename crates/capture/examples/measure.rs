//! Reads captures and says how fast, and with how much memory: `cargo run --release -p tlswhy-capture --example measure FILE…`

#![allow(clippy::print_stdout, reason = "that is what it is for")]

use std::fs::File;
use std::io::BufReader;
use std::time::Instant;

use tlswhy_capture::{Limits, read};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let begun = Instant::now();
        let (mut handshakes, mut failed) = (0_u64, 0_u64);
        let file = BufReader::with_capacity(1 << 20, File::open(&path)?);
        let reading = read(file, Limits::default(), &mut |handshake| {
            handshakes += 1;
            failed += u64::from(handshake.outcome.failed());
        })?;
        let took = begun.elapsed().as_secs_f64();
        let counts = reading.counts;
        println!(
            "{path}: {} frames in {took:.2} s, {:.0} a second; {} connections, {handshakes} handshakes, {failed} failed, {} forgotten",
            counts.frames,
            counts.frames as f64 / took,
            counts.connections,
            counts.forgotten
        );
    }
    // Of Linux alone.
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find(|line| line.starts_with("VmHWM"));
        println!("{}", peak.unwrap_or_default());
    }
    Ok(())
}
