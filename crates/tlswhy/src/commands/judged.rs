//! Which clients are judged: those that the user names, else this machine's OpenSSL, else a bundled profile.

use std::io::Read as _;
use std::path::Path;

use tlswhy_core::FALLBACK;
pub(super) use tlswhy_core::LOCAL;
use tlswhy_gather::observe_local_openssl;
use tlswhy_model::ClientProfile;

use super::examine::Interrupted;
use crate::cli::Alpn;
use crate::exit::Failure;
use crate::nearest::nearest;

/// The largest profile or policy that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// A client that the user named: bundled, in a file, or (`None`) this machine's OpenSSL.
pub(super) fn profile(name: &str) -> Result<Option<ClientProfile>, Failure> {
    if name == LOCAL {
        return Ok(None);
    }
    if let Some(client) = tlswhy_core::client(name) {
        return Ok(Some(client));
    }
    let path = Path::new(name);
    if !name.contains(['/', '\\']) && !name.ends_with(".toml") && !path.is_file() {
        let known: Vec<String> = bundled_clients()?.into_iter().map(|client| client.name).chain([LOCAL.to_owned()]).collect();
        let failure = Failure::new(format!("no client `{name}` is known, and there is no such file"));
        return Err(match nearest(name, known.iter().map(String::as_str)).as_slice() {
            [] => failure.tip("`tlswhy clients` lists them"),
            near => failure.tip(format!("did you mean {}? `tlswhy clients` lists all", near.join(" or "))),
        });
    }
    let cannot_read = |why: &dyn std::fmt::Display| Failure::new(format!("cannot read the client profile {name}: {why}"));
    let text = read_text(path).map_err(|error| cannot_read(&error))?;
    let client = tlswhy_core::client_from_toml(&text).map_err(|error| cannot_read(&error))?;
    Ok(Some(client))
}

/// A small file of text: a profile, a policy.
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    match text.len() as u64 > LARGEST {
        true => Err(format!("more than {LARGEST} bytes are too many")),
        false => Ok(text),
    }
}

/// The judged clients: those that the user named, else this machine's OpenSSL, else a bundled profile of OpenSSL 3.0.
pub(super) async fn judged(
    named: Vec<Option<ClientProfile>>,
    alpn: Option<&Alpn>,
    interrupted: &Interrupted,
) -> Result<Vec<ClientProfile>, Failure> {
    let insists = !named.is_empty();
    let named = if insists { named } else { vec![None] };
    let mut clients = Vec::new();
    for client in named {
        let client = match client {
            Some(client) => client,
            None => match local(interrupted).await {
                Some(local) => local,
                None if insists => return Err(Failure::new("this machine's `openssl` cannot be observed")),
                None => {
                    tlswhy_core::client(FALLBACK).ok_or_else(|| Failure::new(format!("the profile {FALLBACK} is missing")))?
                }
            },
        };
        clients.push(client);
    }
    if let Some(alpn) = alpn {
        let protocols: Vec<&str> = alpn.0.iter().map(String::as_str).collect();
        for client in &mut clients {
            client.hello = client.hello.clone().with_alpn(&protocols);
        }
    }
    Ok(clients)
}

async fn local(interrupted: &Interrupted) -> Option<ClientProfile> {
    tokio::select! {
        seen = observe_local_openssl() => tlswhy_core::local_openssl(&seen?),
        () = interrupted.wait() => None,
    }
}

/// Every profile that comes with the program.
pub(super) fn bundled_clients() -> Result<Vec<ClientProfile>, Failure> {
    tlswhy_core::clients().map_err(|error| Failure::new(format!("a bundled client profile cannot be read: {error}")))
}
