//! Proxies that carry TLS to a host behind them, as dialogues: HTTP CONNECT and SOCKS5.

mod http_connect;
mod socks5;

pub use http_connect::http_connect;
pub use socks5::socks5;

use std::net::IpAddr;

/// The address that a host text is, with or without IPv6's brackets, if it is no name.
fn literal(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}
