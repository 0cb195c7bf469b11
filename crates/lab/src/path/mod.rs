//! Ways from a client over routers to a server, in network namespaces, with whatever may stand on them: rules of nftables in a router
//! ([`Way::rules`]), or a wire that is a program ([`wire`]).
//!
//! ```text
//! client ─1─ router 1 ─2─ router 2 … router n ─n+1─ server        link i leads to hop i
//! ```
//!
//! The first link always is such a wire: without its delay a packet would come back while it is still being sent.

pub mod inspector;
pub mod namespaces;
pub mod wire;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use inspector::Inspector;
use namespaces::{Namespace, Rights};
use tempfile::TempDir;
use wire::Wire;

use crate::server::{Lab, StartError, find_program};

/// A name that no device minds.
pub const NEUTRAL: &str = "good.example.test";
/// A name that devices mind.
pub const MINDED: &str = "blocked.example.test";

/// A program that resets what does not come with the first read of 1,400 bytes, and passes everything else on to nginx.
const READS_ONCE: &str = "
import socket, struct, threading
def pump(one, other):
    try:
        while data := one.recv(65536): other.sendall(data)
    except OSError: pass
    for end in one, other:
        try: end.shutdown(socket.SHUT_RDWR)
        except OSError: pass
def serve(client):
    try: data = client.recv(1400)
    except OSError: return
    if data[:1] == b'\\x16' and len(data) < 5 + int.from_bytes(data[3:5], 'big'):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        return client.close()
    server = socket.create_connection(('127.0.0.1', 443))
    server.sendall(data)
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    pump(server, client)
listener = socket.create_server(('', 444), backlog=64)
while True:
    client, _ = listener.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
";

/// What a way is like.
#[derive(Clone, Debug)]
pub struct Way<'a> {
    /// How many routers.
    pub routers: usize,
    /// Wires that are programs, by link; the first is one in any case.
    pub wires: Vec<(usize, Wire)>,
    /// Rules of nftables, by router; `routers + 1` is the server itself.
    pub rules: Vec<(usize, &'a str)>,
    /// Routers that send no ICMP messages.
    pub mute: Vec<usize>,
    /// `ssl_protocols` of the server, where it is not to be nginx's own.
    pub protocols: Option<&'a str>,
    /// A device that inspects TLS, at one of the routers.
    pub inspector: Option<Inspector>,
    /// A link that takes no packet longer than this, and whether the routers at its ends say so (ICMP).
    pub narrow: Option<(usize, u32, bool)>,
    /// On port 444 of the server, a program before nginx that takes what the first read brings for the whole hello.
    pub reads_once: bool,
    /// Who builds it.
    pub rights: Rights,
}

impl Default for Way<'_> {
    fn default() -> Self {
        Way {
            routers: 4,
            wires: Vec::new(),
            rules: Vec::new(),
            mute: Vec::new(),
            protocols: None,
            inspector: None,
            narrow: None,
            reads_once: false,
            rights: Rights::Root,
        }
    }
}

/// A way that stands.
pub struct Built {
    nodes: Vec<Namespace>,
    processes: Vec<Child>,
    _wires: Vec<Namespace>,
    dir: TempDir,
}

impl Way<'_> {
    /// Builds it; `lab_program` is the lab's own binary.
    pub fn build(&self, lab: &Lab, lab_program: &Path) -> Result<Built, StartError> {
        for program in ["ip", "nft", "ethtool", "nsenter", "setpriv", "nginx"] {
            find_program(program).ok_or_else(|| StartError::Missing(program.into()))?;
        }
        let first = Namespace::first(self.rights)?;
        let mut nodes = vec![first];
        for _ in 0..=self.routers {
            let next = nodes.first().ok_or_else(|| StartError::Failed("no namespace".into()))?.another()?;
            nodes.push(next);
        }
        let dir = tempfile::Builder::new().prefix("tlswhy-way-").tempdir().map_err(StartError::of)?;
        // A program that anybody may run: the tree that it was built in may be closed to others.
        let wire_program = dir.path().join("wire");
        copy_program(lab_program, &wire_program)?;
        crate::server::shell(&format!("chmod 755 '{0}' '{0}/wire'", dir.path().display()))?;
        let mut built = Built { nodes, processes: Vec::new(), _wires: Vec::new(), dir };
        for link in 1..=self.routers + 1 {
            self.lay(&mut built, link, &wire_program)?;
        }
        for node in 0..built.nodes.len() {
            built.nodes[node].shell(&self.routes(node))?;
        }
        built.serve(lab, self.routers + 1, self.protocols)?;
        if let Some(inspector) = self.inspector {
            let node = built.nodes.get(inspector.router).ok_or_else(|| StartError::Failed("no such router".into()))?;
            let child = inspector.start(node, built.dir.path())?;
            built.processes.push(child);
        }
        if self.reads_once {
            let program =
                built.nodes[self.routers + 1].command("python3").args(["-c", READS_ONCE]).stdin(Stdio::null()).spawn();
            built.processes.push(program.map_err(StartError::of)?);
            built.nodes[self.routers + 1]
                .shell("for i in $(seq 200); do ss -ltn | grep -q ':444 ' && exit 0; sleep 0.05; done; exit 1")?;
        }
        if let Some((link, bytes, says_so)) = self.narrow {
            for (node, interface) in [(link - 1, "right"), (link, "left")] {
                built.nodes[node].shell(&format!("ip link set dev {interface} mtu {bytes}"))?;
                if !says_so {
                    built.nodes[node].shell(
                        "nft 'add table inet hole; add chain inet hole out { type filter hook output priority 0; }; \
                         add rule inet hole out icmp type destination-unreachable icmp code frag-needed drop; \
                         add rule inet hole out icmpv6 type packet-too-big drop'",
                    )?;
                }
            }
        }
        for (router, rules) in &self.rules {
            built.nodes[*router].shell(&format!("nft '{rules}'"))?;
        }
        for router in &self.mute {
            built.nodes[*router].shell(
                "nft 'add table inet mute; add chain inet mute out { type filter hook output priority 0; }; \
                 add rule inet mute out icmp type time-exceeded drop; add rule inet mute out icmpv6 type time-exceeded drop'",
            )?;
        }
        Ok(built)
    }

    /// One link, through a wire where one is wanted.
    fn lay(&self, built: &mut Built, link: usize, wire_program: &Path) -> Result<(), StartError> {
        let (left, right) = (&built.nodes[link - 1], &built.nodes[link]);
        let wanted = self.wires.iter().find(|(place, _)| *place == link).map(|(_, wire)| wire.clone());
        let delay = Wire { delay: Duration::from_millis(5), ..Wire::default() };
        match wanted.or((link == 1).then_some(delay)) {
            None => left.shell(&format!("ip link add right type veth peer name left netns {}", right.pid()))?,
            Some(wire) => {
                let between = left.another()?;
                between.shell(&format!(
                    "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
                     ip link add near type veth peer name right netns {}; ip link add far type veth peer name left netns {}
                     ip link set near up; ip link set far up",
                    left.pid(),
                    right.pid()
                ))?;
                // Sums and lengths must be right in the frame that the program reads.
                left.shell("ethtool -K right tx off gso off tso off gro off >/dev/null")?;
                right.shell("ethtool -K left tx off gso off tso off gro off >/dev/null")?;
                let program = wire_program.to_str().ok_or_else(|| StartError::Failed("a path that is no text".into()))?;
                let process = between.command(program).arg("wire").args(wire.words()).stdin(Stdio::null()).spawn();
                built.processes.push(process.map_err(StartError::of)?);
                built._wires.push(between);
            }
        }
        Ok(())
    }

    /// Addresses, routes and settings of one node.
    fn routes(&self, node: usize) -> String {
        let last = self.routers + 1;
        let mut script = String::from("ip link set lo up\n");
        for family in ["4", "6"] {
            let net = |link: usize, side: usize| match family {
                "4" => format!("10.77.{link}.{side}"),
                _ => format!("fd77:0:0:{link:x}::{side}"),
            };
            let length = if family == "4" { 24 } else { 64 };
            if node > 0 {
                script += &format!("ip -{family} addr add {}/{length} dev left {}\n", net(node, 2), quick(family));
            }
            if node < last {
                script += &format!("ip -{family} addr add {}/{length} dev right {}\n", net(node + 1, 1), quick(family));
            }
        }
        script += if node > 0 { "ip link set left up\n" } else { "" };
        script += if node < last { "ip link set right up\n" } else { "" };
        script += "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding\n";
        for (family, prefix, end) in [("4", "10.77.", "24"), ("6", "fd77:0:0:", "64")] {
            let hop = |link: usize, side: usize| {
                if family == "4" { format!("{prefix}{link}.{side}") } else { format!("{prefix}{link:x}::{side}") }
            };
            let net = |link: usize| {
                if family == "4" { format!("{prefix}{link}.0/{end}") } else { format!("{prefix}{link:x}::/{end}") }
            };
            for link in 1..=last {
                if link < node {
                    script += &format!("ip -{family} route add {} via {}\n", net(link), hop(node, 1));
                } else if link > node + 1 {
                    script += &format!("ip -{family} route add {} via {}\n", net(link), hop(node + 1, 2));
                }
            }
        }
        script
    }
}

/// Copies a program, in another process: a child that is started meanwhile by another thread would hold the file that is written open, and
/// what is open for writing cannot be executed.
fn copy_program(from: &Path, to: &Path) -> Result<(), StartError> {
    crate::server::shell(&format!("cp '{}' '{}'", from.display(), to.display()))
}

/// No search for others with the same address.
fn quick(family: &str) -> &'static str {
    if family == "6" { "nodad" } else { "" }
}

impl Built {
    /// The server's address.
    pub fn server(&self, six: bool) -> IpAddr {
        let link = u16::try_from(self.nodes.len() - 1).unwrap_or(0);
        if six {
            Ipv6Addr::new(0xfd77, 0, 0, link, 0, 0, 0, 2).into()
        } else {
            Ipv4Addr::new(10, 77, u8::try_from(link).unwrap_or(0), 2).into()
        }
    }

    /// An address on the last link that no host has.
    pub fn nobody(&self) -> IpAddr {
        let link = u8::try_from(self.nodes.len() - 1).unwrap_or(0);
        Ipv4Addr::new(10, 77, link, 77).into()
    }

    /// The address with which a hop answers.
    pub fn hop(&self, hop: usize) -> IpAddr {
        Ipv4Addr::new(10, 77, u8::try_from(hop).unwrap_or(0), 2).into()
    }

    /// The client's end.
    pub fn client(&self) -> &Namespace {
        &self.nodes[0]
    }

    /// A file beside the server's configuration, such as `ca.pem`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a copy of a program that anybody may read, at the client's end and without any right.
    pub fn run_unprivileged(&self, program: &Path, arguments: &[String]) -> Result<Output, StartError> {
        let copy = self.dir.path().join("program");
        if !copy.exists() {
            copy_program(program, &copy)?;
        }
        let copy = copy.to_str().ok_or_else(|| StartError::Failed("a path that is no text".into()))?;
        self.output(self.client().command_without_rights(copy), arguments)
    }

    /// Runs a program at the client's end with the rights that built the way.
    pub fn run_privileged(&self, program: &Path, arguments: &[String]) -> Result<Output, StartError> {
        let program = program.to_str().ok_or_else(|| StartError::Failed("a path that is no text".into()))?;
        self.output(self.client().command(program), arguments)
    }

    fn output(&self, mut command: Command, arguments: &[String]) -> Result<Output, StartError> {
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env("HOME", self.dir.path())
            .stdin(Stdio::null())
            .output()
            .map_err(StartError::of)
    }

    /// nginx at the end, on port 443 of both families, for whatever name.
    fn serve(&mut self, lab: &Lab, node: usize, protocols: Option<&str>) -> Result<(), StartError> {
        let dir = self.dir.path().to_owned();
        for file in ["rsa.pem", "rsa.key", "ca.pem"] {
            fs::copy(lab.pki.join(file), dir.join(file)).map_err(StartError::of)?;
        }
        crate::server::shell(&format!("chmod -R a+rwX '{}'", dir.display()))?;
        let place = dir.display();
        let protocols = protocols.map(|versions| format!("ssl_protocols {versions};")).unwrap_or_default();
        let configuration = format!(
            "daemon off; master_process off; user root; pid {place}/nginx.pid; error_log {place}/error.log info;
             events {{ worker_connections 256; }}
             http {{ access_log off; client_body_temp_path {place}/t1; proxy_temp_path {place}/t2;
              fastcgi_temp_path {place}/t3; uwsgi_temp_path {place}/t4; scgi_temp_path {place}/t5;
              server {{ listen 443 ssl; listen [::]:443 ssl; ssl_certificate {place}/rsa.pem; ssl_certificate_key {place}/rsa.key; {protocols}
               location / {{ return 200 'ok\\n'; }} }} }}"
        );
        fs::write(dir.join("nginx.conf"), configuration).map_err(StartError::of)?;
        let nginx = find_program("nginx").ok_or_else(|| StartError::Missing("nginx".into()))?;
        let nginx = nginx.to_str().ok_or_else(|| StartError::Failed("a path that is no text".into()))?;
        let server = self.nodes[node]
            .command(nginx)
            .args(["-e", &format!("{place}/error.log"), "-c", &format!("{place}/nginx.conf")])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.processes.push(server.map_err(StartError::of)?);
        // Until it answers, over both families.
        let began = Instant::now();
        let tries = "for a in $0 $1; do openssl s_client -connect \"$a\" -servername good.example.test </dev/null >/dev/null 2>&1 || exit 1; done";
        while began.elapsed() < Duration::from_secs(10) {
            let (four, six) = (format!("{}:443", self.server(false)), format!("[{}]:443", self.server(true)));
            let known = self.nodes[node].command("sh").args(["-c", tries, &four, &six]).status();
            if known.is_ok_and(|status| status.success()) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(dir.join("error.log")).unwrap_or_default();
        Err(StartError::Failed(format!("nginx at the end of the way does not answer: {log}")))
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
