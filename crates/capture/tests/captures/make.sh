#!/usr/bin/env bash
# Makes the captures beside it, from real handshakes of OpenSSL, curl, GnuTLS, nginx, Apache and Dovecot in a network namespace
# of its own (root; packages openssl curl gnutls-bin nginx apache2-bin dovecot-imapd tcpdump nftables iproute2). What they mean
# stands in expected.txt, which the test `captures` writes anew with BLESS=1.
set -euo pipefail
out=$(cd "$(dirname "$0")" && pwd)
if [[ ${1:-} != inside ]]; then
  exec unshare -n --mount-proc -pf "$0" inside
fi
ip link set lo up
work=$(mktemp -d)
trap 'code=$?; ((code)) && cp "$work"/*.log /tmp/ 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout key.pem -out cert.pem \
  -subj "/CN=server.test" -addext "subjectAltName=DNS:server.test" 2>/dev/null
serve=()
server() { # options of s_server
  openssl s_server -accept 4433 -cert cert.pem -key key.pem -quiet "$@" </dev/null >/dev/null 2>&1 &
  serve+=($!)
  until grep -q ":1151 .* 0A " /proc/net/tcp /proc/net/tcp6; do sleep 0.05; done
}
capture() { # name, then the command of the client
  local name=$1
  shift
  rm -f tcpdump.log
  tcpdump -i "${interface:-lo}" ${link:+-y "$link"} -Z root --immediate-mode -U -w "$out/$name.pcap" ${filter:-tcp} 2>tcpdump.log &
  local dump=$!
  until grep -qs "listening on" tcpdump.log; do sleep 0.05; done
  "$@" >/dev/null 2>&1 || true
  sleep ${linger:-0.6}
  kill -INT $dump
  wait $dump || true
  for pid in "${serve[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait "${serve[@]}" 2>/dev/null || true
  serve=()
}
client() { { echo; sleep 0.3; } | openssl s_client -connect 127.0.0.1:4433 -servername server.test "$@"; }
trusting() { client -CAfile cert.pem -verify_return_error "$@"; }

server; capture tls13 trusting
server -tls1_2; capture tls12 trusting
# All interfaces at once, with both headers that Linux has for that.
server -tls1_2; interface=any link=LINUX_SLL capture cooked trusting
server; interface=any link=LINUX_SLL2 capture cooked2 trusting
server -groups P-384; capture retry trusting -groups X25519:P-384
resume() { trusting -sess_out s.pem "$@"; trusting -sess_in s.pem "$@"; }
server; capture tls13-resumed resume -tls1_3
server; capture tls12-resumed resume -tls1_2
server -tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384; capture no-shared-cipher trusting -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256
server -tls1_3; capture old-client trusting -tls1_2
server; capture tls13-untrusted client -verify_return_error
server -tls1_2; capture tls12-untrusted client -verify_return_error
server -Verify 1 -verify_return_error; capture tls13-client-certificate trusting
server -tls1_2 -Verify 1 -verify_return_error; capture tls12-client-certificate trusting
server -alpn h2; capture no-shared-protocol trusting -alpn http/1.1
server; capture gnutls gnutls-cli --sni-hostname server.test -p 4433 --no-ca-verification 127.0.0.1
server; capture gnutls-untrusted gnutls-cli --sni-hostname server.test -p 4433 127.0.0.1

capture refused curl -m 2 https://127.0.0.1:8443/

# Silence: the hello is dropped.
nft -f - <<'N'
table ip filter {
  chain output {
    type filter hook output priority 0;
    tcp sport 4433 @ih,0,8 22 drop
  }
}
N
server; linger=0.2 capture gave-up timeout 4 openssl s_client -connect 127.0.0.1:4433 -servername server.test
nft delete table ip filter
gnutls-serv -q -p 4433 --x509certfile cert.pem --x509keyfile key.pem >/dev/null 2>&1 & serve+=($!); sleep 1
capture plain-client curl -m 2 http://127.0.0.1:4433/

cat >nginx.conf <<N
daemon off; error_log stderr; pid $work/nginx.pid;
events {}
http { access_log off; server { listen 4433; } }
N
nginx -c "$work/nginx.conf" 2>/dev/null & serve+=($!); sleep 0.5
capture not-tls curl -m 2 https://127.0.0.1:4433/

cat >dovecot.conf <<N
protocols = imap
listen = 127.0.0.1
base_dir = $work/dovecot
log_path = $work/dovecot.log
ssl = yes
ssl_cert = <$work/cert.pem
ssl_key = <$work/key.pem
ssl_min_protocol = TLSv1.2
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
passdb {
  driver = static
  args = nopassword=y
}
service imap-login {
  inet_listener imap {
    port = 4433
  }
  inet_listener imaps {
    port = 0
  }
  chroot =
}
N
dovecot -F -c "$work/dovecot.conf" & serve+=($!); sleep 1.5
capture imap trusting -starttls imap

mods=/usr/lib/apache2/modules
cat >apache.conf <<N
ServerRoot $work
PidFile $work/apache.pid
ErrorLog $work/apache.log
ServerName proxy.test
Listen 127.0.0.1:3128
LoadModule mpm_event_module $mods/mod_mpm_event.so
LoadModule authz_core_module $mods/mod_authz_core.so
LoadModule proxy_module $mods/mod_proxy.so
LoadModule proxy_connect_module $mods/mod_proxy_connect.so
ProxyRequests On
AllowCONNECT 4433
N
server
apache2 -X -f "$work/apache.conf" & serve+=($!); sleep 1
filter="tcp port 3128" capture proxy curl -m 3 -x http://user:secret@127.0.0.1:3128 --cacert cert.pem --connect-to server.test:4433:127.0.0.1:4433 https://server.test:4433/
apache2 -X -f "$work/apache.conf" & serve+=($!); sleep 1
filter="tcp port 3128" capture proxy-refused curl -m 3 -x http://127.0.0.1:3128 https://server.test:8443/

# A router between that resets what begins with a handshake record, in the server's name: one hop nearer, another time to live.
unshare -n sleep 60 & far=$!
sleep 0.2
ip link add near type veth peer name far
ip link set far netns $far
nsenter -t $far -n sh -c 'ip link set lo up; ip addr add 10.0.2.2/24 dev far; ip link set far up; ip route add default via 10.0.2.1'
ip addr add 10.0.2.1/24 dev near; ip link set near up
unshare -n sleep 60 & user=$!
sleep 0.2
ip link add here type veth peer name there
ip link set there netns $user
nsenter -t $user -n sh -c 'ip link set lo up; ip addr add 10.0.1.2/24 dev there; ip link set there up; ip route add default via 10.0.1.1'
ip addr add 10.0.1.1/24 dev here; ip link set here up
echo 1 >/proc/sys/net/ipv4/ip_forward
nft -f - <<'N'
table ip between {
  chain forward {
    type filter hook forward priority 0;
    tcp dport 4433 @ih,0,8 22 reject with tcp reset
  }
}
N
nsenter -t $far -n openssl s_server -accept 4433 -cert cert.pem -key key.pem -quiet </dev/null >/dev/null 2>&1 & serve+=($!)
sleep 1
interface=here capture reset nsenter -t $user -n timeout 3 openssl s_client -connect 10.0.2.2:4433 -servername server.test
kill $far $user
