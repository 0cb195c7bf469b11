# Reads "id host port anchors" lines, prints "id ok" or "id no reason". First argument: ssl or requests or pyopenssl.
import ipaddress
import socket
import sys


def with_ssl(host, port, anchors):
    import ssl
    context = ssl.create_default_context(cafile=anchors)
    with socket.create_connection(("127.0.0.1", port), 5) as plain:
        with context.wrap_socket(plain, server_hostname=host):
            pass


def with_requests(host, port, anchors):
    import requests
    found = socket.getaddrinfo
    socket.getaddrinfo = lambda name, *rest, **more: found("127.0.0.1", *rest, **more)
    try:
        requests.get("https://%s:%d/" % (host, port), verify=anchors, timeout=5)
    finally:
        socket.getaddrinfo = found


def with_pyopenssl(host, port, anchors):
    from OpenSSL import SSL
    context = SSL.Context(SSL.TLS_METHOD)
    context.load_verify_locations(anchors)
    context.set_verify(SSL.VERIFY_PEER, None)
    with socket.create_connection(("127.0.0.1", port), 5) as plain:
        plain.settimeout(None)
        connection = SSL.Connection(context, plain)
        parameters = SSL._lib.SSL_get0_param(connection._ssl)
        try:
            address = ipaddress.ip_address(host).packed
            SSL._lib.X509_VERIFY_PARAM_set1_ip(parameters, address, len(address))
        except ValueError:
            connection.set_tlsext_host_name(host.encode())
            SSL._lib.X509_VERIFY_PARAM_set1_host(parameters, host.encode(), len(host))
        connection.set_connect_state()
        connection.do_handshake()


connect = {"ssl": with_ssl, "requests": with_requests, "pyopenssl": with_pyopenssl}[sys.argv[1]]
for line in sys.stdin:
    case, host, port, anchors = line.rstrip("\n").split("\t")
    try:
        connect(host, int(port), anchors)
        print(case + "\tok")
    except Exception as error:
        print(case + "\tno\t" + " ".join(repr(error).split()))
    sys.stdout.flush()
