//! HTTPS servers of language runtimes: JDK, Node.js, Python.

use super::{Started, words};
use crate::server::{Lab, Launch};

const JAVA: &str = r#"
import com.sun.net.httpserver.*;
import java.io.*;
import java.net.*;
import java.security.*;
import javax.net.ssl.*;

public class Lab {
    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(new FileInputStream(args[1]), "changeit".toCharArray());
        String foreign = System.getProperty("lab.key");
        if (foreign != null) {
            byte[] bytes = java.nio.file.Files.readAllBytes(java.nio.file.Path.of(foreign));
            PrivateKey key = KeyFactory.getInstance("EC").generatePrivate(new java.security.spec.PKCS8EncodedKeySpec(bytes));
            store.setKeyEntry("server", key, "changeit".toCharArray(), store.getCertificateChain("server"));
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(store, "changeit".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        HttpsServer server = HttpsServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 20);
        String[] versions = args.length > 2 ? args[2].split(",") : null;
        server.setHttpsConfigurator(new HttpsConfigurator(context) {
            public void configure(HttpsParameters parameters) {
                if (versions != null) {
                    SSLParameters chosen = getSSLContext().getDefaultSSLParameters();
                    chosen.setProtocols(versions);
                    chosen.setNeedClientAuth("need".equals(System.getProperty("lab.client")));
                    parameters.setSSLParameters(chosen);
                }
            }
        });
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 3);
            exchange.getResponseBody().write("ok\n".getBytes());
            exchange.close();
        });
        server.setExecutor(java.util.concurrent.Executors.newCachedThreadPool());
        server.start();
    }
}
"#;

const NODE: &str = r"
const fs = require('fs'), [,, port, certificate, key, options] = process.argv;
require('https').createServer(
    { cert: fs.readFileSync(certificate), key: fs.readFileSync(key), ...JSON.parse(options) },
    (request, response) => response.end('ok\n')).listen(Number(port), '127.0.0.1');
";

const PYTHON: &str = r"
import http.server, ssl, sys
port, certificate, key, setting = sys.argv[1:5]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
exec(setting)
class Handler(http.server.SimpleHTTPRequestHandler):
    def setup(self):
        self.request.settimeout(20)
        self.request.do_handshake()
        super().setup()
class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    def handle_error(self, request, address): pass
server = Server(('127.0.0.1', int(port)), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
";

impl Lab {
    /// The JDK's own HTTPS server; `versions` by JSSE's names, comma-separated, or empty; `flags` go to the JVM:
    /// `-Dlab.key=FILE` puts another key (PKCS #8, EC) beside the certificate.
    pub fn java(&self, flags: &str, versions: &str) -> Started {
        self.launch(Launch {
            program: "java",
            args: words(&format!(
                "-Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 {flags} {{dir}}/Lab.java {{port}} {{pki}}/rsa.p12 {versions}"
            )),
            files: vec![("Lab.java", JAVA.into()), ("none.security", String::new()), ("old.security", OLD_JAVA.into())],
            ..Launch::default()
        })
    }

    /// Node.js; `options` is a JSON object of `tls.createServer`.
    pub fn node(&self, certificate: &str, options: &str) -> Started {
        self.launch(Launch {
            program: "node",
            args: vec![
                "{dir}/server.js".into(),
                "{port}".into(),
                format!("{{pki}}/{certificate}.pem"),
                format!("{{pki}}/{certificate}.key"),
                options.into(),
            ],
            files: vec![("server.js", NODE.into())],
            ..Launch::default()
        })
    }

    /// Python's http.server over its ssl module; `setting` is one line of Python about `context`.
    pub fn python(&self, certificate: &str, setting: &str) -> Started {
        self.launch(Launch {
            program: "python3",
            args: vec![
                "{dir}/server.py".into(),
                "{port}".into(),
                format!("{{pki}}/{certificate}.pem"),
                format!("{{pki}}/{certificate}.key"),
                setting.into(),
            ],
            files: vec![("server.py", PYTHON.into())],
            ..Launch::default()
        })
    }
}

/// Security properties that let old versions through again.
const OLD_JAVA: &str = "jdk.tls.disabledAlgorithms=SSLv3, RC4, NULL, anon\njdk.tls.legacyAlgorithms=NULL, anon, RC4\n";
