# ~/.profile
if [ -n "$BASH_VERSION" ]; then
	PATH="$HOME/bin:$PATH"
fi
export NODE_OPTIONS='--tls-min-v1.0' LANG=C; echo NODE_OPTIONS=--none
export NODE_EXTRA_CA_CERTS="$HOME/ours.pem"
  SSL_CERT_FILE=/etc/ssl/ours.pem REQUESTS_CA_BUNDLE=/etc/ssl/theirs.pem SSL_CERT_DIR=/etc/ssl/none
export SSL_CERT_FILE REQUESTS_CA_BUNDLE;
NODE_OPTIONS="$NODE_OPTIONS --tls-max-v1.2"
if true; then
	export NODE_TLS_REJECT_UNAUTHORIZED=0
fi
