//! Postfix: main.cf, what services of master.cf put in its place, levels, grades and curves.

use super::case::{Case, Look};

const SMTP: &str = "smtp";
const LEVEL: &str = "smtpd_tls_security_level = may";

/// Lines of main.cf, and options of the second and the third service; the third speaks TLS from the first byte.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("nothing", "", "", ""),
    ("bounds", "smtpd_tls_protocols = >=TLSv1.2", "", ""),
    ("bounds-both", "smtpd_tls_protocols = >=TLSv1.2, <=TLSv1.2", "", ""),
    ("names", "smtpd_tls_protocols = TLSv1.3", "", ""),
    ("taken-away", "smtpd_tls_protocols = !SSLv2 !SSLv3 !TLSv1 !TLSv1.1 !TLSv1.3", "", ""),
    ("hole", "smtpd_tls_protocols = >=TLSv1 !TLSv1.2", "", ""),
    ("last-line-counts", "smtpd_tls_protocols = TLSv1.3\nsmtpd_tls_protocols = TLSv1.2", "", ""),
    ("nonsense", "smtpd_tls_protocols = TLS12", "", ""),
    (
        "mandatory",
        "smtpd_tls_mandatory_protocols = TLSv1.3\nsmtpd_tls_protocols = TLSv1.2",
        "-o smtpd_tls_security_level=encrypt",
        "",
    ),
    (
        "of-the-service",
        "smtpd_tls_protocols = TLSv1.2",
        "-o smtpd_tls_protocols=TLSv1.3",
        "-o smtpd_tls_mandatory_protocols=TLSv1.2",
    ),
    ("braces", "", "-o { smtpd_tls_protocols = >=TLSv1.2, <=TLSv1.2 }", "-o {smtpd_tls_mandatory_protocols=!TLSv1.3}"),
    (
        "variable",
        "ours = TLSv1.2\nsmtpd_tls_protocols = $ours\nsmtpd_tls_mandatory_protocols = ${ours?!TLSv1.2}",
        "-o ours=TLSv1.3",
        "",
    ),
    (
        "conditional",
        "smtpd_tls_protocols = ${nothing:TLSv1.2}",
        "-o nothing=1 -o smtpd_tls_protocols=${nothing?{TLSv1.3}:{TLSv1.2}}",
        "",
    ),
    ("continued", "smtpd_tls_protocols =\n  # not this\n  TLSv1.2,\n\tTLSv1.3", "", ""),
    ("off", "smtpd_tls_security_level = none", "-o smtpd_tls_security_level=may", ""),
    (
        "old-words",
        "smtpd_tls_security_level =\nsmtpd_use_tls = yes",
        "-o smtpd_enforce_tls=yes -o smtpd_tls_mandatory_protocols=TLSv1.3",
        "",
    ),
    ("level-over-old-words", "smtpd_use_tls = no\nsmtpd_enforce_tls = yes", "", ""),
    ("grade-high", "smtpd_tls_ciphers = high\nsmtpd_tls_protocols = !TLSv1.3", "", ""),
    ("grade-null", "smtpd_tls_ciphers = null\nsmtpd_tls_protocols = TLSv1.2", "", ""),
    ("grade-unknown", "smtpd_tls_ciphers = best\nsmtpd_tls_protocols = TLSv1.2", "", ""),
    (
        "excluded",
        "smtpd_tls_exclude_ciphers = aNULL, AES128 kRSA\nsmtpd_tls_mandatory_exclude_ciphers = CHACHA20",
        "-o smtpd_tls_security_level=encrypt",
        "",
    ),
    ("list", "tls_medium_cipherlist = ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA", "", "-o smtpd_tls_mandatory_ciphers=high"),
    ("level-in-list", "tls_medium_cipherlist = ALL:@SECLEVEL=2", "", ""),
    (
        "preference",
        "tls_preempt_cipherlist = yes\ntls_medium_cipherlist = AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256\nsmtpd_tls_protocols = TLSv1.2",
        "",
        "",
    ),
    ("curve-strong", "smtpd_tls_eecdh_grade = strong", "", ""),
    ("curve-ultra", "smtpd_tls_eecdh_grade = ultra", "-o smtpd_tls_eecdh_grade=none", ""),
    ("curves", "tls_eecdh_auto_curves = secp384r1, X25519", "", ""),
    ("asks", "smtpd_tls_ask_ccert = yes", "-o smtpd_tls_security_level=encrypt -o smtpd_tls_req_ccert=yes", ""),
    ("requires-without-enforcing", "smtpd_tls_req_ccert = yes", "", ""),
    (
        "two-files",
        "smtpd_tls_chain_files =\nsmtpd_tls_cert_file = {pki}/rsa.pem\nsmtpd_tls_key_file = {pki}/rsa.key\nsmtpd_tls_eccert_file = {pki}/ecdsa.pem\nsmtpd_tls_eckey_file = {pki}/ecdsa.key",
        "",
        "",
    ),
    ("no-certificate", "smtpd_tls_chain_files =", "", ""),
];

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    let case = |(name, own, second, third): &(&str, &str, &str, &str)| {
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {{dir}}/spool\ndata_directory = {{dir}}/data\n\
             daemon_directory = /usr/lib/postfix/sbin\ncommand_directory = /usr/sbin\nmail_owner = postfix\n\
             setgid_group = postdrop\nmyhostname = mail.example.test\nmynetworks = 127.0.0.0/8\n\
             maillog_file = {{dir}}/mail.log\nmaillog_file_prefixes = {{dir}}\nmulti_instance_wrapper =\nalias_maps =\n\
             {LEVEL}\nsmtpd_tls_chain_files = {{pki}}/rsa.key, {{pki}}/rsa.pem\n{own}\n"
        );
        let master = format!(
            "127.0.0.1:{{port}} inet n - n - - smtpd\n# ours\n127.0.0.1:{{port2}} inet n - n - - smtpd\n\t{second}\n\
             127.0.0.1:{{port3}} inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n  # secure\n  {third}\n\
             rewrite unix - - n - - trivial-rewrite\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
             tlsmgr unix - - n 1000? 1 tlsmgr\nanvil unix - - n - 1 anvil\nproxymap unix - - n - - proxymap\n\
             postlog unix-dgram n - n - 1 postlogd\n"
        );
        Case {
            id: format!("postfix/{name}"),
            dialect: "postfix",
            program: "postfix",
            args: ["-c", "{dir}", "start-fg"].map(String::from).to_vec(),
            files: vec![
                ("spool/keep".to_owned(), Vec::new()),
                ("data/keep".to_owned(), Vec::new()),
                ("main.cf".to_owned(), main.into_bytes()),
                ("master.cf".to_owned(), master.into_bytes()),
            ],
            setup: "[ $(id -u) -ne 0 ] || chown postfix data".to_owned(),
            main: "main.cf".to_owned(),
            looks: vec![Look::name("").after(SMTP), Look::name("").after(SMTP).at(1), Look::name("").at(2)],
            ..Case::default()
        }
    };
    CASES.iter().map(case).collect()
}
