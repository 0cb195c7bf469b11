//! Records of the domain name system that bear on certificates, TLSA and CAA, from the resolvers that the system is set up with.

use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle as _, FirstAnswer as _, RetryDnsHandle};
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, Query};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};
use tlswhy_model::{Records, printable};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Name servers and how to ask them.
type Configuration = Result<(ResolverConfig, ResolverOpts), NetError>;
type Servers = RetryDnsHandle<NameServerPool<TokioRuntimeProvider>>;

/// How long all of it may take, and one query.
const LIMIT: Duration = Duration::from_secs(1);
const QUERY_LIMIT: Duration = Duration::from_millis(450);
/// How often a query that got no answer is repeated.
const RETRIES: usize = 1;
/// The most records that are kept of one name.
const MOST_RECORDS: usize = 50;
/// The most names that are asked for on the way up, and the longest text of a record, in characters.
const MOST_NAMES: usize = 10;
const LONGEST_TEXT: usize = 1000;

/// Looks records up. That there are none is no error. CAA are those of the nearest parent that has some (RFC 8659 §3).
///
/// `authenticated` is the resolver's own word (the AD bit), for which it is asked (RFC 6840 §5.7).
pub(crate) async fn records(name: String, record_type: String) -> Records {
    // What the system says is read now and not before: most examinations need no resolver of their own.
    found(name, record_type, read_system_conf()).await
}

async fn found(name: String, record_type: String, configuration: Configuration) -> Records {
    let outcome = match timeout(LIMIT, ask(&name, &record_type, configuration)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(format!("no answer within {} ms", LIMIT.as_millis())),
    };
    let (records, authenticated, error) = match outcome {
        Ok((records, authenticated)) => (records, authenticated, None),
        Err(error) => (Vec::new(), false, Some(error)),
    };
    Records { name, record_type, records, authenticated, error }
}

async fn ask(name: &str, record_type: &str, configuration: Configuration) -> Result<(Vec<String>, bool), String> {
    let name = Name::from_ascii(name.trim_end_matches('.')).map_err(|_| "it is no name to ask for".to_owned())?;
    let (kind, names) = match record_type {
        "TLSA" => (RecordType::TLSA, vec![name]),
        "CAA" => (RecordType::CAA, parents(name)),
        _ => return Err("only TLSA and CAA are looked up".to_owned()),
    };
    let servers = servers(configuration).map_err(|error| error.to_string())?;
    let mut queries = JoinSet::new();
    for (index, mut name) in names.into_iter().enumerate() {
        name.set_fqdn(true);
        let servers = servers.clone();
        queries.spawn(async move { (index, look_up(&servers, name, kind).await) });
    }
    let mut answers = Vec::new();
    while let Some(finished) = queries.join_next().await {
        answers.push(finished.map_err(|error| error.to_string())?);
    }
    answers.sort_by_key(|(index, _)| *index);
    for (_, answer) in answers {
        let (records, authenticated) = answer?;
        if !records.is_empty() {
            return Ok((records, authenticated));
        }
    }
    Ok((Vec::new(), false))
}

fn servers(configuration: Configuration) -> Result<Servers, NetError> {
    let (configuration, mut options) = configuration?;
    options.timeout = QUERY_LIMIT;
    let servers = configuration.name_servers().to_vec();
    let context = Arc::new(PoolContext::new(options, TlsConfig::new()?));
    Ok(RetryDnsHandle::new(NameServerPool::from_config(servers, context, TokioRuntimeProvider::default()), RETRIES))
}

/// The name and those above it, without the root.
fn parents(name: Name) -> Vec<Name> {
    let up = |name: &Name| Some(name.base_name()).filter(|parent| !parent.is_root());
    std::iter::successors(Some(name), up).take(MOST_NAMES).collect()
}

async fn look_up(servers: &Servers, name: Name, kind: RecordType) -> Result<(Vec<String>, bool), String> {
    let mut options = DnsRequestOptions::default();
    options.use_edns = true;
    let mut request = DnsRequest::from_query(Query::query(name, kind), options);
    request.metadata.authentic_data = true;
    match servers.send(request).first_answer().await {
        Ok(answer) => {
            let records = answer.answers.iter().filter_map(|record| presentation(&record.data));
            Ok((records.take(MOST_RECORDS).collect(), answer.metadata.authentic_data))
        }
        Err(error) if error.is_no_records_found() => Ok((Vec::new(), false)),
        Err(error) => Err(printable(&error.to_string(), LONGEST_TEXT)),
    }
}

/// RFC 6698 §2.2, RFC 8659 §4.1.1.
fn presentation(data: &RData) -> Option<String> {
    match data {
        RData::TLSA(record) => {
            let (usage, selector, matching) =
                (u8::from(record.cert_usage), u8::from(record.selector), u8::from(record.matching));
            let data = tlswhy_model::Bytes(record.cert_data.clone()).to_hex();
            Some(format!("{usage} {selector} {matching} {data}"))
        }
        RData::CAA(record) => {
            let quoted: String = record.value.iter().take(LONGEST_TEXT).map(|byte| character_of_string(*byte)).collect();
            Some(format!("{} {} \"{quoted}\"", record.flags(), printable(&record.tag, LONGEST_TEXT)))
        }
        _ => None,
    }
}

/// RFC 1035 §5.1.
fn character_of_string(byte: u8) -> String {
    match byte {
        b'"' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\{byte:03}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Instant;

    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ProtocolConfig};
    use tokio::net::UdpSocket;

    use super::*;

    /// A name server on the loopback interface. It has CAA at `parent.test`, TLSA at `_443._tcp.parent.test`, refuses what begins
    /// with `refused`, says nothing to what begins with `silent`, and has nothing else.
    async fn name_server() -> Configuration {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                if let Some(answer) = answer(&buffer[..length]) {
                    socket.send_to(&answer, from).await.unwrap();
                }
            }
        });
        let mut connection = ConnectionConfig::new(ProtocolConfig::Udp);
        connection.port = port;
        let server = NameServerConfig::new(Ipv4Addr::LOCALHOST.into(), true, vec![connection]);
        Ok((ResolverConfig::from_parts(None, Vec::new(), vec![server]), ResolverOpts::default()))
    }

    fn answer(query: &[u8]) -> Option<Vec<u8>> {
        let question = &query[12..];
        let end = question.iter().position(|byte| *byte == 0)? + 5;
        let question = &question[..end];
        let labels = String::from_utf8_lossy(question).replace(|c: char| c.is_control(), ".");
        let caa = [&[128, 5][..], b"issueca.test; x=\"\x1b"].concat();
        let (code, data): (u8, Option<Vec<u8>>) = match question[end - 3] {
            _ if labels.starts_with(".silent") => return None,
            _ if labels.starts_with(".refused") => (5, None),
            1 if labels.starts_with(".parent.test") => (0, Some(caa)),
            52 if labels.starts_with("._443._tcp.parent.test") => (0, Some(vec![3, 1, 1, 0xab, 0xcd])),
            // NXDOMAIN, or a name without such records.
            52 => (3, None),
            _ => (0, None),
        };
        let count = u8::from(data.is_some());
        // AD for whom asks for it.
        let flags = 0x80 | query[3] & 0x20 | code;
        let mut answer = [&query[..2], &[0x81, flags, 0, 1, 0, count, 0, 0, 0, 0], question].concat();
        if let Some(data) = data {
            answer.extend([0xc0, 12]);
            answer.extend(&question[end - 4..]);
            answer.extend([0, 0, 0, 60, 0, data.len() as u8]);
            answer.extend(data);
        }
        Some(answer)
    }

    async fn ask_for(name: &str, record_type: &str) -> Records {
        found(name.to_owned(), record_type.to_owned(), name_server().await).await
    }

    #[tokio::test]
    async fn records_are_shown_as_zone_files_have_them() {
        let tlsa = ask_for("_443._tcp.parent.test", "TLSA").await;
        assert_eq!((tlsa.records, tlsa.error), (vec!["3 1 1 abcd".to_owned()], None));
        assert!(tlsa.authenticated);
        for name in ["parent.test", "a.b.parent.test."] {
            let caa = ask_for(name, "CAA").await;
            assert_eq!((caa.records, caa.error), (vec!["128 issue \"ca.test; x=\\\"\\027\"".to_owned()], None), "{name}");
            assert_eq!(caa.name, name);
        }
    }

    #[tokio::test]
    async fn nothing_there_is_no_error_and_everything_else_is() {
        for (name, record_type) in [("other.test", "CAA"), ("_443._tcp.other.test", "TLSA")] {
            let none = ask_for(name, record_type).await;
            assert_eq!((none.records.len(), none.error), (0, None), "{name}");
        }
        for (name, record_type) in [("refused.test", "TLSA"), ("refused.parent.test", "CAA"), ("a..b", "CAA"), ("a.test", "MX")]
        {
            let error = ask_for(name, record_type).await.error.unwrap();
            assert!(!error.is_empty(), "{name}");
        }
        let began = Instant::now();
        let silent = ask_for("silent.parent.test", "CAA").await;
        assert!(silent.error.is_some() && silent.records.is_empty());
        assert!(began.elapsed() < LIMIT + Duration::from_millis(300), "{:?}", began.elapsed());
    }
}
