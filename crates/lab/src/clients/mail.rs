//! Dovecot as a client: what `imapc` offers the server whose mailboxes it shows.

use super::cases::case;
use crate::configs::Case;

/// Lines at the end of dovecot.conf.
pub(super) fn dovecot() -> Vec<Case> {
    let all = [
        ("nothing", ""),
        ("lowest", "ssl_min_protocol = TLSv1.3 # newest"),
        ("lowest-old", "ssl_min_protocol = TLSv1\nssl_cipher_list = ALL:@SECLEVEL=0"),
        ("lowest-nonsense", "ssl_min_protocol = TLSv1.4"),
        ("list", "ssl_cipher_list = AES128-SHA:ECDHE-RSA-AES128-SHA"),
        ("list-nonsense", "ssl_cipher_list = NONSENSE"),
        ("suites", "ssl_cipher_suites = TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"),
        ("curves", "ssl_curve_list = P-384:X25519"),
        ("curves-nonsense", "ssl_curve_list = NONSENSE"),
        ("off-for-servers", "ssl = no\nssl_min_protocol = TLSv1.3"),
        ("of-a-name", "local_name 127.0.0.1 {\n  ssl_min_protocol = TLSv1.3\n}"),
        ("of-another-protocol", "protocol pop3 {\n  ssl_min_protocol = TLSv1.3\n}"),
    ];
    let make = |(name, own): (&str, &str)| {
        let file = format!(
            "base_dir = {{dir}}/run\nlog_path = /dev/stderr\nprotocols =\nmail_home = {{dir}}/mail\nmail_location = imapc:{{dir}}/mail\n\
             first_valid_uid = 1\nimapc_host = 127.0.0.1\nimapc_port = {{port}}\nimapc_user = lab\nimapc_password = lab\n\
             imapc_ssl = imaps\nssl_client_require_valid_cert = no\n{own}\n"
        );
        let mut case =
            case("dovecot", "doveadm", name, "dovecot.conf", &file, &["-c", "{dir}/dovecot.conf", "mailbox", "list"]);
        // No server of it runs: who it is for stands in the file and in the environment. Mail is never root's.
        case.setup = "mkdir -p run mail && chmod 755 . && \
                      if [ $(id -u) -eq 0 ]; then own='nobody nogroup'; chown nobody mail; else own=\"$(id -un) $(id -gn)\"; fi && \
                      printf 'mail_uid = %s\\nmail_gid = %s\\n' $own >>dovecot.conf"
            .to_owned();
        case.env = vec![("USER", "nobody".to_owned())];
        case
    };
    all.map(make).into()
}
