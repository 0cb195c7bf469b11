//! Every command, every option and its help, in one place. Reading them does nothing.

#[cfg(target_os = "linux")]
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use tlswhy_wire::upgrade::Upgrade;

use crate::exit::Failure;
use crate::render::Format;
use crate::target::{Impossible, Target, domain_name, starttls};

const EXIT_STATUS: &str = "\
Exit status:
  0  no blocking finding
  1  a blocking finding
  2  tlswhy could not do its own job (usage, unreadable input, missing right)
  3  it fails and the cause stayed undetermined; the open questions are listed";

const CHECK_EXIT_STATUS: &str = "\
Exit status:
  0  no blocking finding, and what --policy names passes
  1  a blocking finding, or a rule of a policy fails
  2  tlswhy could not do its own job (usage, unreadable input, missing right)
  3  it fails and the cause stayed undetermined, or a rule of a policy could not be judged; what is open is listed";

const DEMO_EXIT_STATUS: &str = "\
Everything stays on 127.0.0.1; it needs no network, no right and no other program.

Exit status:
  0  every server was diagnosed as announced
  1  one was not
  2  tlswhy could not do its own job";

const LISTEN_EXIT_STATUS: &str = "\
Exit status:
  0  clients were heard, and with --against no blocking finding
  1  with --against: a blocking finding; with --certificate: a client refused it
  2  tlswhy could not do its own job
  3  with --against: it fails and the cause stayed undetermined; or nothing was heard";

const RELAY_EXIT_STATUS: &str = "\
Nothing is decrypted. The server sees connections of this machine instead of the clients' addresses.

Exit status:
  0  every handshake that passed was completed
  1  a blocking finding
  2  tlswhy could not do its own job
  3  a handshake failed and the cause stayed undetermined; or no handshake passed";

const EXPLAIN_EXIT_STATUS: &str = "\
A text is only a hint: nothing is asked of anybody.

Exit status:
  0  a page, the list, or a text in which something was recognised
  2  tlswhy could not do its own job: usage, unreadable input
  3  nothing in the text was recognised";
const RUN_EXIT_STATUS: &str = "\
The report goes to standard error, so that the command's own output stays as it is.

Exit status: the command's own (128 and the number of the signal that ended it; 127 where it is not found), or with
--exit-diagnosis:
  0  no handshake failed
  1  a blocking finding
  2  tlswhy could not do its own job
  3  a handshake failed and the cause stayed undetermined";

const FIX_EXIT_STATUS: &str = "\
Exit status:
  0  nothing is to be mended, or it was mended and verified
  1  something is to be mended (and was not, or it was taken back)
  2  tlswhy could not do its own job
  3  it fails and the cause stayed undetermined: nothing is changed then";

const TRACE_EXIT_STATUS: &str = "\
Packets that come only so far show the routers, how far the server is, and from where on the hello is answered or
lost. No right is needed. At most 70 connections are opened and left, one after the other, besides those of `check`.

Exit status:
  0  no blocking finding
  1  a blocking finding
  2  tlswhy could not do its own job (usage, no way to measure)
  3  it fails and the cause stayed undetermined; the open questions are listed";

const CERT_EXIT_STATUS: &str = "\
Exit status:
  0  no fault that blocks
  1  a fault that blocks: incomplete, expired, another name, another key …
  2  tlswhy could not do its own job (usage, unreadable file, no certificates to be had)";

/// Says why a TLS handshake fails, and what mends it.
///
/// `tlswhy TARGET` is short for `tlswhy check TARGET`.
#[derive(Debug, Parser)]
#[command(
    name = "tlswhy",
    version,
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = EXIT_STATUS
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) check: Check,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Why does a handshake with this server fail, or whom will it fail for?
    #[command(arg_required_else_help = true, after_help = CHECK_EXIT_STATUS)]
    Check(Box<Check>),
    /// Where on the way to a server, and by whom, is the handshake stopped?
    #[command(arg_required_else_help = true, after_help = TRACE_EXIT_STATUS)]
    Trace(Box<Trace>),
    /// Judge saved evidence again, offline
    #[command(arg_required_else_help = true, after_help = EXIT_STATUS)]
    Diagnose(Diagnose),
    /// Show a certificate chain: who signed whom, what is missing, who trusts it
    #[command(arg_required_else_help = true, after_help = CERT_EXIT_STATUS)]
    Cert(Box<Cert>),
    /// What do these configurations mean for TLS, and where is the line at fault?
    #[command(after_help = EXIT_STATUS)]
    Config(Box<Config>),
    /// Show the patch that mends it; with --apply: do it, verify it, and take it back if it did not help
    #[command(arg_required_else_help = true, after_help = FIX_EXIT_STATUS)]
    Fix(Box<Fix>),
    /// What does my client offer, what is it, and would it agree with a server?
    #[command(after_help = LISTEN_EXIT_STATUS)]
    Listen(Box<Listen>),
    /// Stand in front of a server, carry everything on unchanged, and say why handshakes that pass fail
    #[command(arg_required_else_help = true, after_help = RELAY_EXIT_STATUS)]
    Relay(Relay),
    /// Why did the handshakes in this packet capture fail?
    #[command(arg_required_else_help = true, after_help = EXIT_STATUS)]
    Pcap(Pcap),
    /// Run a command unchanged, and say why its TLS connections fail
    #[cfg(target_os = "linux")]
    #[command(arg_required_else_help = true, after_help = RUN_EXIT_STATUS)]
    Run(Box<Run>),
    /// Become the command that `run` was given
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Steered(Steered),
    /// Answer for what a command of `run` left behind
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    LetGo,
    /// What does this cause, or this error message, mean? Without either: list the causes
    #[command(after_help = EXPLAIN_EXIT_STATUS)]
    Explain(Explain),
    /// Watch every cause being found, live, on servers broken on purpose inside this program
    #[command(after_help = DEMO_EXIT_STATUS)]
    Demo(Demo),
    /// Which software of this machine speaks TLS, what can each version do, and which is past its end of life?
    Software(Software),
    /// List the clients that can be judged
    Clients(Clients),
    /// Print the JSON Schema of a document
    Schema(Schema),
    /// Write man pages or shell completions
    #[command(hide = true)]
    Generate(Generate),
}

/// Options of `check`.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// Host, HOST:PORT, address ([IPv6]:PORT) or URL such as smtp://HOST
    #[arg(value_name = "TARGET", required = true)]
    pub(crate) targets: Vec<Target>,

    /// Judge for this client: a name from `tlswhy clients`, or a profile in a TOML file; repeatable
    #[arg(long, value_name = "NAME|FILE", help_heading = "Whom to judge for")]
    pub(crate) client: Vec<String>,
    /// Trust these certificates (PEM or DER) instead of the client's own store
    #[arg(long, value_name = "FILE", help_heading = "Whom to judge for")]
    pub(crate) ca: Option<PathBuf>,
    /// Application protocols that the client offers, separated by commas; `none` for none
    #[arg(long, value_name = "LIST", help_heading = "Whom to judge for")]
    pub(crate) alpn: Option<Alpn>,
    /// Send the well-known clients' own hellos instead of predicting how they fare
    #[arg(long, help_heading = "Whom to judge for")]
    pub(crate) replay: bool,

    /// Ask for everything that the server accepts: versions, suites and their order, groups, signatures, protocols
    #[arg(long, help_heading = "How much to ask")]
    pub(crate) full: bool,
    /// With --full or --policy: try for no weakness by sending what ordinary clients do not send (Heartbleed, early
    /// ChangeCipherSpec, renegotiation)
    #[arg(long, help_heading = "How much to ask")]
    pub(crate) no_vulnerability_probes: bool,
    /// Judge what the server accepts by this policy, which implies --full: its name, or a TOML file; repeatable
    #[arg(long, value_name = "NAME|FILE", help_heading = "How much to ask")]
    pub(crate) policy: Vec<String>,
    /// Print only what changed since this report, saved earlier by --format json; several targets: several reports in it
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) baseline: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Examine every address of the name
    #[arg(long, conflicts_with = "address", help_heading = "How to connect")]
    pub(crate) all_addresses: bool,

    /// The server's configuration (a file or a directory), so that the fix names a file and a line; repeatable
    #[arg(long, value_name = "PATH", help_heading = "Configurations")]
    pub(crate) server_config: Vec<PathBuf>,
    /// The client's configuration, such as openssl.cnf; repeatable
    #[arg(long, value_name = "PATH", help_heading = "Configurations")]
    pub(crate) client_config: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: Machine,

    #[command(flatten)]
    pub(crate) sources: Sources,
    /// The server's key as it is known elsewhere: its SHA-256 (hexadecimal, or curl's sha256//BASE64), a certificate, or evidence
    /// saved elsewhere; another key is a sign of inspection on the way; repeatable
    #[arg(long, value_name = "PIN|FILE", help_heading = "Certificates")]
    pub(crate) expect: Vec<String>,
    /// Show this client certificate (PEM or DER, with its chain) where the server asks for one
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(crate) cert: Option<PathBuf>,
    /// The key of --cert, where it stands in a file of its own (PEM)
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "Certificates")]
    pub(crate) key: Option<PathBuf>,
    /// Write the chain that the server ought to send: end entity first, what is missing added, no root
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(crate) save_chain: Option<PathBuf>,
    /// Let --save-chain replace a file that exists
    #[arg(long, requires = "save_chain", help_heading = "Certificates")]
    pub(crate) force: bool,

    /// Keep what was seen; `tlswhy diagnose FILE` judges it again
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) save_evidence: Option<PathBuf>,
    /// Take names and addresses out of the saved evidence, so that it can be mailed
    #[arg(long, requires = "save_evidence", help_heading = "Output")]
    pub(crate) redact: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How to reach a server; the same for every command that does.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Connection {
    /// Server name to send (SNI); `none` for none
    #[arg(long, value_name = "NAME|none", help_heading = "How to connect")]
    pub(crate) sni: Option<Sni>,
    /// Start TLS within this protocol, such as smtp, imap or postgres
    #[arg(long, value_name = "PROTO", value_parser = starttls, help_heading = "How to connect")]
    pub(crate) starttls: Option<&'static Upgrade>,
    /// Go through this proxy: http://[USER:PASSWORD@]HOST:PORT or socks5://…; `none` ignores the environment's
    #[arg(long, value_name = "URL|none", help_heading = "How to connect")]
    pub(crate) proxy: Option<String>,
    /// Connect to this address, whatever the name resolves to
    #[arg(long, value_name = "IP", help_heading = "How to connect")]
    pub(crate) address: Option<IpAddr>,
    /// Use IPv4 only
    #[arg(short = '4', long = "ipv4", conflicts_with_all = ["ipv6", "address"], help_heading = "How to connect")]
    pub(crate) ipv4: bool,
    /// Use IPv6 only
    #[arg(short = '6', long = "ipv6", conflicts_with = "address", help_heading = "How to connect")]
    pub(crate) ipv6: bool,
    /// Wait so long for a connection, and for each answer [default: 3]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true, help_heading = "How to connect")]
    pub(crate) timeout: Option<Duration>,
    /// How many connections stand at once: slow is one, half a second after the other; normal four; fast sixteen
    #[arg(long, value_enum, value_name = "PACE", default_value_t, help_heading = "How to connect")]
    pub(crate) pace: Pace,
}

/// How gently a server is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Pace {
    /// One connection at a time, with a pause before each.
    Slow,
    /// A few at once.
    #[default]
    Normal,
    /// Many at once, for servers of one's own.
    Fast,
}

/// The machine whose configurations are read.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Machine {
    /// Read configurations in this unpacked copy of another machine's tree (its `/`, or its `/etc`)
    #[arg(long, value_name = "DIR", help_heading = "Configurations")]
    pub(crate) root: Option<PathBuf>,
    /// Take this version for granted, such as nginx=1.18.0 or openssl=3.0.2; repeatable
    #[arg(long, value_name = "PRODUCT=VERSION", value_parser = assumed, help_heading = "Configurations")]
    pub(crate) assume: Vec<(String, String)>,
    /// Run installed programs to ask for their versions and the libraries that they run with (`nginx -V`, `haproxy -vv` …);
    /// otherwise nothing is run to read a configuration
    #[arg(long, conflicts_with = "root", help_heading = "Configurations")]
    pub(crate) run_programs: bool,
}

/// `PRODUCT=VERSION`.
fn assumed(text: &str) -> Result<(String, String), Impossible> {
    match text.split_once('=') {
        Some((product, version)) if !product.is_empty() && version.contains(|c: char| c.is_ascii_digit()) => {
            Ok((product.to_ascii_lowercase(), version.to_owned()))
        }
        _ => Err(Impossible::because("a product and its version are wanted: nginx=1.18.0")),
    }
}

/// Options of `config`.
#[derive(Args, Debug)]
pub(crate) struct Config {
    /// Files or directories; without one, everything known here that is installed
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: Machine,
    /// Judge servers for this client: a name from `tlswhy clients`, or a profile in a TOML file
    #[arg(long, value_name = "NAME|FILE", help_heading = "What to judge")]
    pub(crate) client: Option<String>,
    /// Trust these certificates (PEM or DER) instead of the client's own store
    #[arg(long, value_name = "FILE", help_heading = "What to judge")]
    pub(crate) ca: Option<PathBuf>,
    /// Take missing intermediates from here: a file or a directory (PEM or DER); repeatable
    #[arg(long, value_name = "FILE|DIR", help_heading = "What to judge")]
    pub(crate) known: Vec<PathBuf>,
    /// Keep what was read, with private keys and passwords masked: `tlswhy diagnose FILE` judges it again
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) save_evidence: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Written,
    /// Show every setting, every suite and every line without effect
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// Options of `fix`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Fix {
    /// A server as for `check`, whose configuration is named with --server-config; a configuration; or a report (JSON).
    /// Several are seen to one after the other
    #[arg(value_name = "TARGET|PATH|REPORT", required_unless_present_any = ["undo", "recover", "list"])]
    pub(crate) subjects: Vec<String>,

    /// The server's configuration (a file or a directory); repeatable
    #[arg(long, value_name = "PATH", help_heading = "Configurations")]
    pub(crate) server_config: Vec<PathBuf>,
    /// The client's configuration, such as openssl.cnf; repeatable
    #[arg(long, value_name = "PATH", help_heading = "Configurations")]
    pub(crate) client_config: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: Machine,

    /// Judge for this client: a name from `tlswhy clients`, or a profile in a TOML file
    #[arg(long, value_name = "NAME|FILE", help_heading = "Whom to mend it for")]
    pub(crate) client: Option<String>,
    /// Trust these certificates (PEM or DER) instead of the client's own store
    #[arg(long, value_name = "FILE", help_heading = "Whom to mend it for")]
    pub(crate) ca: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) sources: Sources,

    /// Bring the server to this: `modern` or `intermediate` (Mozilla's current guideline), an older guideline by its name, or
    /// `client`: what is on, and the least that the judged client needs besides, even where that weakens the server
    #[arg(long, value_name = "GUIDELINE|client", help_heading = "What to do")]
    pub(crate) to: Option<String>,
    /// Do it: keep copies, replace the files, validate, reload, ask again, and take it back if it did not help
    #[arg(long, help_heading = "What to do")]
    pub(crate) apply: bool,
    /// Only show what would be done (the default)
    #[arg(long, conflicts_with = "apply", help_heading = "What to do")]
    pub(crate) dry_run: bool,
    /// Apply findings that are only suspected or inferred as well
    #[arg(long, help_heading = "What to do")]
    pub(crate) unsure: bool,
    /// Validate with this command instead of the program's usual one; `none` for none
    #[arg(long, value_name = "COMMAND", help_heading = "What to do")]
    pub(crate) check_command: Option<String>,
    /// Reload with this command instead of the program's usual one; `none` for none
    #[arg(long, value_name = "COMMAND", help_heading = "What to do")]
    pub(crate) reload_command: Option<String>,
    /// Take back an applied fix: the last, or that of this name
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["apply", "recover", "list"], help_heading = "What to do")]
    pub(crate) undo: Option<String>,
    /// Take back what a crash or a power cut left unfinished
    #[arg(long, conflicts_with_all = ["apply", "list"], help_heading = "What to do")]
    pub(crate) recover: bool,
    /// List what was applied
    #[arg(long, conflicts_with = "apply", help_heading = "What to do")]
    pub(crate) list: bool,

    /// Other commands have it: here it gets an answer that says where the edits stand as JSON.
    #[arg(long, value_name = "FORMAT", hide = true)]
    pub(crate) format: Option<String>,
}

/// Where certificates may come from that were not sent, and what may be asked of those who issued them.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Sources {
    /// Take missing intermediates from here: a file or a directory (PEM or DER); repeatable
    #[arg(long, value_name = "FILE|DIR", help_heading = "Certificates")]
    pub(crate) known: Vec<PathBuf>,
    /// Fetch missing intermediates from the address that a certificate names (caIssuers, http)
    #[arg(long, help_heading = "Certificates")]
    pub(crate) aia: bool,
    /// Ask the issuers' OCSP and CRL addresses whether a certificate is revoked
    #[arg(long, help_heading = "Certificates")]
    pub(crate) online: bool,
}

/// Options of `cert`.
#[derive(Args, Debug)]
pub(crate) struct Cert {
    /// A file (PEM, DER or PKCS#7; `-` is standard input), or a server as for `check`
    #[arg(value_name = "FILE|TARGET", required = true)]
    pub(crate) subjects: Vec<String>,

    /// Whether this private key belongs to the certificate; only its public half is used
    #[arg(long, value_name = "FILE", help_heading = "What to judge")]
    pub(crate) key: Option<PathBuf>,
    /// The name that clients ask for; a server's is the one asked for, a file has none
    #[arg(long, value_name = "NAME", help_heading = "What to judge")]
    pub(crate) name: Option<String>,
    /// Judge for this client: a name from `tlswhy clients`, or a profile in a TOML file
    #[arg(long, value_name = "NAME|FILE", help_heading = "What to judge")]
    pub(crate) client: Option<String>,
    /// Trust these certificates (PEM or DER) instead of the client's own store
    #[arg(long, value_name = "FILE", help_heading = "What to judge")]
    pub(crate) ca: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// Write the certificates as they were sent, or as the file has them (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) save: Option<PathBuf>,
    /// Write the chain to serve: end entity first, what is missing added, no root, nothing superfluous (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) save_chain: Option<PathBuf>,
    /// Let --save and --save-chain replace files that exist
    #[arg(long, help_heading = "Output")]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) output: Written,
    /// Show every name and every address that the certificates hold
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// Options of `run`.
#[cfg(target_os = "linux")]
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The command and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<OsString>,

    /// How connections are watched [default: steer, and proxy where the system does not permit that]
    #[arg(long, value_name = "WAY", value_enum, help_heading = "What to do")]
    pub(crate) watch: Option<Way>,
    /// Ask the server nothing: judge by what was seen alone
    #[arg(long, help_heading = "What to do")]
    pub(crate) no_probe: bool,
    /// End with the exit status of the diagnosis instead of the command's
    #[arg(long, help_heading = "What to do")]
    pub(crate) exit_diagnosis: bool,
    /// Trust these certificates (PEM or DER) instead of the client's own store
    #[arg(long, value_name = "FILE", help_heading = "What to do")]
    pub(crate) ca: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Written,
    /// Show every attempt, and connections without TLS
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// How the connections of a command are watched.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// Every connection is held when it is made, and led through a relay
    Steer,
    /// The command is told of a proxy by its environment; connections for which it asks none are not seen
    Proxy,
}

/// What `run` starts itself with.
#[cfg(target_os = "linux")]
#[derive(Args, Debug)]
pub(crate) struct Steered {
    /// The descriptor of the channel to the supervisor
    pub(crate) channel: i32,
    /// The command and its arguments
    #[arg(required = true, last = true)]
    pub(crate) command: Vec<OsString>,
}

/// Options of `listen`.
#[derive(Args, Debug)]
pub(crate) struct Listen {
    /// Where to listen: PORT, ADDRESS:PORT or ADDRESS [default: 127.0.0.1 and a free port]
    #[arg(value_name = "ADDR", value_parser = listening)]
    pub(crate) address: Option<SocketAddr>,
    /// End after so many clients [default: go on until Ctrl-C]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,

    /// Start TLS within this protocol, such as smtp or postgres: its server is played until the client asks for TLS
    #[arg(long, value_name = "PROTO", value_parser = starttls)]
    pub(crate) starttls: Option<&'static Upgrade>,

    /// Say whether the client would agree with this server, and why not
    #[arg(long, value_name = "TARGET", help_heading = "What to do with what is heard")]
    pub(crate) against: Option<Target>,
    /// Finish the handshake with this certificate (PEM, with its chain) and say whether the client takes it
    #[arg(long, value_name = "FILE", help_heading = "What to do with what is heard")]
    pub(crate) certificate: Option<PathBuf>,
    /// The key of --certificate, where it stands in a file of its own (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate", help_heading = "What to do with what is heard")]
    pub(crate) key: Option<PathBuf>,
    /// Make a profile of the first client, for `--client FILE`; then end
    #[arg(long, value_name = "FILE", conflicts_with = "count", help_heading = "What to do with what is heard")]
    pub(crate) save_client: Option<PathBuf>,
    /// Let --save-client replace a file that exists
    #[arg(long, requires = "save_client", help_heading = "What to do with what is heard")]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) output: Written,
    /// Show every value that a client offers
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// Options of `relay`.
#[derive(Args, Debug)]
pub(crate) struct Relay {
    /// Where to listen: PORT, ADDRESS:PORT or ADDRESS
    #[arg(value_name = "LISTEN", value_parser = listening)]
    pub(crate) address: SocketAddr,
    /// The server to stand in front of: host, HOST:PORT, address or URL
    #[arg(value_name = "TARGET")]
    pub(crate) target: Target,

    /// Take so many connections, and end once they have ended [default: go on until Ctrl-C]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "What to do")]
    pub(crate) count: Option<u64>,
    /// Ask the server nothing: judge by what was seen alone
    #[arg(long, help_heading = "What to do")]
    pub(crate) no_probe: bool,
    /// The clients trust these certificates (PEM or DER); without it Mozilla's store stands for theirs
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(crate) ca: Option<PathBuf>,
    /// Take missing intermediates from here: a file or a directory (PEM or DER); repeatable
    #[arg(long, value_name = "FILE|DIR", help_heading = "Certificates")]
    pub(crate) known: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Written,
    /// Show every handshake
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// Options of `trace`.
#[derive(Args, Debug)]
pub(crate) struct Trace {
    /// Host, HOST:PORT, address ([IPv6]:PORT) or URL
    #[arg(value_name = "TARGET")]
    pub(crate) target: Target,
    /// Judge for this client: a name from `tlswhy clients`, or a profile in a TOML file
    #[arg(long, value_name = "NAME|FILE", help_heading = "Whom to judge for")]
    pub(crate) client: Option<String>,
    /// Trust these certificates (PEM or DER) instead of the client's own store
    #[arg(long, value_name = "FILE", help_heading = "Whom to judge for")]
    pub(crate) ca: Option<PathBuf>,
    /// The server's key as it is known elsewhere: its SHA-256 (hexadecimal, or curl's sha256//BASE64), a certificate, or evidence
    /// saved elsewhere; another key is a sign of inspection on the way; repeatable
    #[arg(long, value_name = "PIN|FILE", help_heading = "Certificates")]
    pub(crate) expect: Vec<String>,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Keep what was seen; `tlswhy diagnose FILE` judges it again
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) save_evidence: Option<PathBuf>,
    /// Take names and addresses out of the saved evidence, so that it can be mailed
    #[arg(long, requires = "save_evidence", help_heading = "Output")]
    pub(crate) redact: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Options of `diagnose`.
#[derive(Args, Debug)]
pub(crate) struct Diagnose {
    /// Evidence as saved with --save-evidence; `-` reads standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Write the evidence again, for instance with --redact
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) save_evidence: Option<PathBuf>,
    /// Take names and addresses out of the written evidence, so that it can be mailed
    #[arg(long, requires = "save_evidence", help_heading = "Output")]
    pub(crate) redact: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Options of `pcap`.
#[derive(Args, Debug)]
pub(crate) struct Pcap {
    /// Captures, pcap or pcapng; `-` reads standard input
    #[arg(value_name = "FILE", required_unless_present = "live")]
    pub(crate) files: Vec<PathBuf>,
    /// Watch this interface, or `any`, until Ctrl-C: a line for each handshake, then the summary (Linux; needs the right to capture)
    #[arg(long, value_name = "IFACE", conflicts_with = "files", help_heading = "What to look at")]
    pub(crate) live: Option<String>,
    /// Only handshakes of this client
    #[arg(long, value_name = "IP", help_heading = "What to look at")]
    pub(crate) client: Option<IpAddr>,
    /// Only handshakes with this server
    #[arg(long, value_name = "IP[:PORT]", help_heading = "What to look at")]
    pub(crate) server: Option<ServerFilter>,
    /// Only handshakes that ask for this name (SNI)
    #[arg(long, value_name = "NAME", help_heading = "What to look at")]
    pub(crate) name: Option<String>,
    /// The clients trust these certificates (PEM or DER); without it Mozilla's store stands for theirs
    #[arg(long, value_name = "FILE", help_heading = "Certificates")]
    pub(crate) ca: Option<PathBuf>,
    /// Take missing intermediates from here: a file or a directory (PEM or DER); repeatable
    #[arg(long, value_name = "FILE|DIR", help_heading = "Certificates")]
    pub(crate) known: Vec<PathBuf>,
    /// Keep what was seen of the failing handshakes, one document for each kind; `tlswhy diagnose FILE` judges them again
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) save_evidence: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Written,
    /// Show every handshake
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// A server's address, on one port or on any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerFilter {
    /// The address.
    pub(crate) ip: IpAddr,
    /// The port, where only one is meant.
    pub(crate) port: Option<u16>,
}

impl FromStr for ServerFilter {
    type Err = Impossible;

    fn from_str(text: &str) -> Result<Self, Impossible> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(ServerFilter { ip: address.ip(), port: Some(address.port()) });
        }
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let ip = bare.parse().map_err(|_| {
            Impossible::because("an address is wanted, with a port or without: 192.0.2.1:443, [2001:db8::1]:443")
        })?;
        Ok(ServerFilter { ip, port: None })
    }
}

/// Options of whatever writes a report.
#[derive(Args, Debug)]
pub(crate) struct Output {
    /// How to write the report
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "human", help_heading = "Output")]
    pub(crate) format: Format,
    /// Write it to this file instead of to standard output
    #[arg(short = 'o', long = "output", value_name = "FILE", help_heading = "Output")]
    pub(crate) file: Option<PathBuf>,
    /// Show every attempt: what was asked, how it ended, how long it took
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// Where a command writes documents of its own, and how.
#[derive(Args, Debug)]
pub(crate) struct Written {
    /// How to write it
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "human", help_heading = "Output")]
    pub(crate) format: ListFormat,
    /// Write it to this file instead
    #[arg(short = 'o', long = "output", value_name = "FILE", help_heading = "Output")]
    pub(crate) file: Option<PathBuf>,
}

/// Options of `explain`.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// Code of a cause, such as no-shared-cipher; or the text of an error, a file with it (a log), or - for standard input
    #[arg(value_name = "CODE|TEXT|FILE")]
    pub(crate) what: Vec<String>,
    /// How to write it; JSON is for texts
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "human", help_heading = "Output")]
    pub(crate) format: ExplainFormat,
    /// Write it to this file instead of to standard output
    #[arg(short = 'o', long = "output", value_name = "FILE", help_heading = "Output")]
    pub(crate) file: Option<PathBuf>,
    /// Show every message that was recognised and every cause that fits
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// The formats of a page and of what a text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// Text for people.
    Human,
    /// The document by its JSON Schema.
    Json,
    /// Markdown; a page as it was written.
    Markdown,
}

/// Options of `demo`.
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Code of a cause, or `healthy`: show its whole report
    pub(crate) code: Option<String>,
    /// List what can be shown
    #[arg(long, conflicts_with_all = ["code", "format", "file", "verbose"])]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Options of `clients`.
#[derive(Args, Debug)]
pub(crate) struct Clients {
    /// How to write the list
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "human")]
    pub(crate) format: ListFormat,
}

/// The formats of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// Text for people.
    Human,
    /// Text for programs.
    Json,
}

impl From<ListFormat> for Format {
    fn from(format: ListFormat) -> Format {
        match format {
            ListFormat::Human => Format::Human,
            ListFormat::Json => Format::Json,
        }
    }
}

/// Options of `software`.
#[derive(Args, Debug)]
pub(crate) struct Software {
    /// Look into this unpacked copy of another machine's tree
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Run the programs found to ask for their versions and the libraries that they run with (`nginx -V`, `haproxy -vv` …);
    /// otherwise nothing is run
    #[arg(long, conflicts_with = "root")]
    pub(crate) run_programs: bool,
    #[command(flatten)]
    pub(crate) output: Written,
    /// Show every copy, who loads it, what it lacks, and where that is known from
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// Options of `schema`.
#[derive(Args, Debug)]
pub(crate) struct Schema {
    /// Which document
    pub(crate) document: Document,
}

/// The two documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Document {
    /// What follows from the evidence.
    Report,
    /// What was seen.
    Evidence,
    /// What configurations mean.
    Config,
    /// What error messages say.
    Symptoms,
    /// Which software speaks TLS.
    Software,
    /// What was in a capture.
    Capture,
    /// One handshake that was watched.
    Handshake,
    /// What passed a relay.
    Relay,
    /// What a client offers.
    Client,
    /// Which certificates a server or a file shows.
    Chain,
}

/// Options of `generate`.
#[derive(Args, Debug)]
pub(crate) struct Generate {
    #[command(subcommand)]
    pub(crate) what: Generated,
}

/// What can be generated.
#[derive(Debug, Subcommand)]
pub(crate) enum Generated {
    /// Man pages, one a command, into a directory
    Man {
        /// The directory; made where it is missing
        directory: PathBuf,
    },
    /// Completions, to standard output
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

/// Which server name to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sni {
    /// None at all.
    None,
    /// This one.
    Name(String),
}

impl FromStr for Sni {
    type Err = Impossible;

    fn from_str(text: &str) -> Result<Self, Impossible> {
        if text == "none" {
            return Ok(Sni::None);
        }
        if text.parse::<IpAddr>().is_ok() {
            return Err(Impossible::because("an address cannot be a server name (RFC 6066 §3); `none` sends none"));
        }
        let name = domain_name(text)?;
        Ok(Sni::Name(name.strip_suffix('.').unwrap_or(&name).to_owned()))
    }
}

/// Application protocols; empty where none is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alpn(pub(crate) Vec<String>);

impl FromStr for Alpn {
    type Err = Impossible;

    fn from_str(text: &str) -> Result<Self, Impossible> {
        if text == "none" {
            return Ok(Alpn(Vec::new()));
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        // RFC 7301 §3.1: 1 to 255 bytes each.
        if names.iter().any(|name| name.is_empty() || name.len() > 255) {
            return Err(Impossible::because("each protocol has 1 to 255 characters; they are separated by commas"));
        }
        Ok(Alpn(names))
    }
}

/// Commands of the contract that this version does not have.
const LATER: &[&str] = &["impact", "scan", "serve"];

/// Refuses what stands in the place of a target and was rather meant as a command: `tlswhy chekc HOST` must not examine a host
/// of that name. An explicit `check` examines it.
pub(crate) fn no_command_was_meant(check: &Check) -> Result<(), Failure> {
    let Some(word) = check.targets.first().map(|target| target.given.as_str()) else {
        return Ok(());
    };
    if !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(());
    }
    let command = Cli::command();
    let known: Vec<&str> =
        command.get_subcommands().filter(|command| !command.is_hide_set()).map(clap::Command::get_name).collect();
    let host = format!("`tlswhy check {word}` examines a host of that name");
    if known.contains(&word) {
        return Err(Failure::new(format!("the command `{word}` must stand first")).tip(host));
    }
    if LATER.contains(&word) {
        return Err(Failure::new(format!("this version has no command `{word}`")).tip(host));
    }
    match known.iter().find(|name| strsim::damerau_levenshtein(word, name) == 1) {
        Some(name) => Err(Failure::new(format!("there is no command `{word}`; did you mean `{name}`?")).tip(host)),
        None => Ok(()),
    }
}

/// Where to listen; a port alone is one of this machine only.
fn listening(text: &str) -> Result<SocketAddr, Impossible> {
    if let Ok(port) = text.trim_start_matches(':').parse::<u16>() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>().map(|address| SocketAddr::from((address, 0)));
    text.parse::<SocketAddr>()
        .or(address)
        .map_err(|_| Impossible::because("a port, an address, or both: 8443, 192.0.2.1:8443, [::1]:8443"))
}

/// A waiting time; more than an hour is a slip.
fn seconds(text: &str) -> Result<Duration, Impossible> {
    let seconds: f64 = text.parse().map_err(|_| Impossible::because("not a number of seconds"))?;
    if (0.001..=3600.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(Impossible::because("must be between 0.001 and 3600 seconds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["tlswhy"].iter().chain(arguments))
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_target_alone_is_checked() {
        let cli = read(&["a.test", "b.test:25", "--format", "json", "-v"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.check.targets.len(), 2);
        assert!(cli.check.output.verbose);
        let cli = read(&["check", "explain"]).unwrap();
        assert!(matches!(cli.command, Some(Command::Check(check)) if check.targets[0].given == "explain"));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for arguments in [
            &["a.test", "-4", "-6"][..],
            &["a.test", "--address", "127.0.0.1", "--all-addresses"],
            &["a.test", "--address", "nonsense"],
            &["a.test", "--timeout", "0"],
            &["a.test", "--timeout", "NaN"],
            &["a.test", "--timeout", "soon"],
            &["a.test", "--starttls", "gopher"],
            &["a.test", "--sni", "127.0.0.1"],
            &["a.test", "--alpn", "h2,,x"],
            &["a.test", "--format", "xml"],
            &["diagnose"],
            &[],
        ] {
            let error = read(arguments).map(|cli| panic!("{arguments:?} was taken as {cli:?}")).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{arguments:?}");
        }
    }

    #[test]
    fn words_that_were_meant_as_commands_are_not_examined() {
        for (word, is_host) in
            [("chekc", false), ("run", false), ("explain", false), ("localhost", true), ("run.test", true), ("run:443", true)]
        {
            let cli = read(&["-v", word]).unwrap();
            assert_eq!(no_command_was_meant(&cli.check).is_ok(), is_host, "{word}");
        }
    }

    #[test]
    fn lists_and_none_are_read() {
        assert_eq!("h2, http/1.1".parse(), Ok(Alpn(vec!["h2".into(), "http/1.1".into()])));
        assert_eq!("none".parse(), Ok(Alpn(vec![])));
        assert_eq!("none".parse(), Ok(Sni::None));
        assert_eq!("A.test.".parse(), Ok(Sni::Name("a.test".into())));
    }
}
