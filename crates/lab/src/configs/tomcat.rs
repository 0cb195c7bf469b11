//! Tomcat: several connectors in one server.xml, for a virtual machine takes long to start.

use super::case::{Case, Look};

/// Attributes of SSLHostConfig, one connector each.
const ATTRIBUTES: &[(&str, [&str; 4])] = &[
    ("defaults", ["", "protocols='all'", "honorCipherOrder='true'", "protocols='all+TLSv1.2' honorCipherOrder='false'"]),
    (
        "versions",
        ["protocols='TLSv1.2'", "protocols='+TLSv1.3'", "protocols='all,-TLSv1.3'", "protocols='SSLv2Hello+TLSv1.2-TLSv1.3'"],
    ),
    (
        "versions-odd",
        [
            "protocols=' TLSv1.2 , + TLSv1.3 '",
            "protocols='ALL'",
            "protocols='TLSv1,TLSv1.1,TLSv1.2'",
            "protocols='TLSv1.2,TLSv1.9,tlsv1.3'",
        ],
    ),
    (
        "versions-none",
        [
            "protocols='TLSv1.2,TLSv1.3'",
            "protocols='TLSv1.2 TLSv1.3'",
            "protocols='TLSv1,TLSv1.1'",
            "protocols='TLSv1.3,-TLSv1.3'",
        ],
    ),
    (
        "ciphers",
        [
            "protocols='TLSv1.2' ciphers='AES128-SHA'",
            "ciphers='ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256' honorCipherOrder='true'",
            "ciphers='TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_CBC_SHA'",
            "ciphers='HIGH:!aNULL:!kRSA:!SHA1'",
        ],
    ),
    (
        "ciphers-odd",
        [
            "ciphers='TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,foo'",
            "ciphers='ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256'",
            "ciphers='TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'",
            "ciphers='ECDHE+AESGCM:DHE+AESGCM'",
        ],
    ),
    (
        "suites-of-1.3",
        [
            "cipherSuites='TLS_AES_128_GCM_SHA256'",
            "cipherSuites='TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256' ciphers='ECDHE-RSA-AES128-GCM-SHA256'",
            "groups='secp384r1'",
            "certificateVerification='optional' truststoreFile='{dir}/trust.p12' truststorePassword='changeit'",
        ],
    ),
];

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, attributes) in ATTRIBUTES {
        let connectors: Vec<String> =
            attributes.iter().enumerate().map(|(at, own)| connector(at, "", &host(own, "rsa"))).collect();
        let looks = (0..attributes.len()).map(|at| Look::name("good.example.test").at(at)).collect();
        all.push(case(name, &connectors, "", looks));
    }
    let names = [
        connector(
            0,
            "",
            &[host("protocols='TLSv1.2'", "rsa"), host("hostName='good.example.test' protocols='TLSv1.3'", "ecdsa")].concat(),
        ),
        connector(
            1,
            "defaultSSLHostConfigName='*.example.test'",
            &[host("hostName='*.Example.test'", "ecdsa"), host("hostName='other.example.test' protocols='TLSv1.2'", "rsa")]
                .concat(),
        ),
        connector(
            2,
            "",
            &format!(
                "<UpgradeProtocol className='org.apache.coyote.http2.Http2Protocol'/>\
                 <SSLHostConfig protocols='${{own.protocols}}' ciphers='${{none:-AES128-SHA}}'>{}</SSLHostConfig>",
                [certificate("rsa", "type='RSA'"), certificate("ecdsa", "type='EC'")].concat()
            ),
        ),
        "<Connector port='{port4}' address='127.0.0.1'/>".to_owned(),
    ];
    let looks =
        [(0, ""), (0, "good.example.test"), (1, ""), (1, "good.example.test"), (1, "other.example.test"), (2, ""), (3, "")];
    let looks = looks.into_iter().map(|(at, name)| Look::name(name).at(at)).collect();
    all.push(case("names-and-properties", &names, "own.protocols=TLSv1.2\n", looks));
    let both = [certificate("rsa", ""), certificate("ecdsa", "")].concat();
    let untyped = connector(0, "", &format!("<SSLHostConfig>{both}</SSLHostConfig>"));
    for (name, connectors) in [("broken", "<Connector>".to_owned()), ("without-types", untyped)] {
        all.push(Case { refused: true, ..case(name, &[connectors], "", vec![Look::name("")]) });
    }
    all
}

fn host(attributes: &str, of: &str) -> String {
    format!("<SSLHostConfig {attributes}>{}</SSLHostConfig>\n", certificate(of, ""))
}

fn certificate(name: &str, attributes: &str) -> String {
    format!("<Certificate certificateFile='{{pki}}/{name}.pem' certificateKeyFile='{{pki}}/{name}.key' {attributes}/>")
}

fn connector(at: usize, attributes: &str, inside: &str) -> String {
    let (port, binds) = if at == 0 { (String::new(), "bindOnInit='false'") } else { ((at + 1).to_string(), "") };
    format!(
        "<Connector port='{{port{port}}}' address='127.0.0.1' SSLEnabled='true' {binds} {attributes}>{inside}</Connector>\n"
    )
}

fn case(name: &str, connectors: &[String], properties: &str, looks: Vec<Look>) -> Case {
    // Connectors listen before anything answers there, but for the first port, which is opened last.
    let connectors: String = connectors.iter().rev().map(String::as_str).collect();
    let text = format!(
        "<?xml version='1.0'?>\n<Server port='-1'>\n<Service name='Catalina'>\n{connectors}\
         <Engine name='Catalina' defaultHost='localhost'><Host name='localhost' appBase='webapps'/></Engine>\n</Service>\n</Server>\n"
    );
    Case {
        id: format!("tomcat/{name}"),
        dialect: "tomcat",
        program: "java",
        needs: &["/usr/share/java/tomcat10-catalina.jar"],
        args: ["-cp", "{dir}/lib/*", "-Dcatalina.base={dir}", "-Dcatalina.home={dir}", "org.apache.catalina.startup.Bootstrap", "start"]
            .map(String::from)
            .to_vec(),
        files: vec![
            ("conf/server.xml".to_owned(), text.into_bytes()),
            ("conf/catalina.properties".to_owned(), properties.as_bytes().to_vec()),
        ],
        main: "conf/server.xml".to_owned(),
        // Where there is no Java, the case is skipped.
        setup: "mkdir -p lib logs temp webapps && ln -s /usr/share/java/tomcat10-*.jar lib/ && if command -v keytool >/dev/null; then \
                keytool -importcert -noprompt -alias ca -file '{pki}/ca.pem' -keystore trust.p12 -storepass changeit >/dev/null 2>&1; fi"
            .to_owned(),
        looks,
        ..Case::default()
    }
}
