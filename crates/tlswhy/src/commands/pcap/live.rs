//! `pcap --live`: packets of an interface, read as a capture that ends when it is told to.

use std::io::Read;

use crate::exit::Failure;

/// The packets of an interface, until Ctrl-C or SIGTERM.
#[cfg(target_os = "linux")]
pub(super) fn open(interface: &str) -> Result<impl Read + use<>, Failure> {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tlswhy_gather::packets::{Packets, PacketsError};
    use tlswhy_model::printable;

    use crate::commands::check::note;
    use crate::commands::examine::Interrupted;

    let ends = Arc::new(AtomicBool::new(false));
    let packets = Packets::listen(interface, Arc::clone(&ends)).map_err(|error| match error {
        PacketsError::NotPermitted => Failure::new("capturing is not permitted to this program").tip(format!(
            "`setcap cap_net_raw+ep $(command -v tlswhy)` permits it to this program alone, once; or let the program that may do the rest: `tcpdump -i {} -U -w - tcp | tlswhy pcap -`",
            printable(interface, 64)
        )),
        PacketsError::NoInterface => Failure::new(format!("there is no network interface {}", printable(interface, 64)))
            .tip("`ip link` lists them; `any` means all"),
        PacketsError::Other(error) => Failure::new(format!("cannot capture: {error}")),
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    note(&format!("watching {}; Ctrl-C ends with the summary", printable(interface, 64)));
    // The packets are waited for without a runtime, so the wish to end is heard beside them.
    std::thread::spawn(move || {
        runtime.block_on(async {
            Interrupted::watch().wait().await;
            ends.store(true, Ordering::Relaxed);
        });
    });
    Ok(packets)
}

/// Elsewhere another program captures.
#[cfg(not(target_os = "linux"))]
pub(super) fn open(_interface: &str) -> Result<std::io::Empty, Failure> {
    Err(Failure::new("--live needs Linux").tip("`tcpdump -U -w - tcp | tlswhy pcap -` does the same"))
}
