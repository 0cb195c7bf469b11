"""What a libssl makes of cipher strings: one a line on standard input, the answers on standard output.

    python3 ask.py .../libssl.so.1.0.2o < strings > 1.0.2o.tsv

Any version from 1.0.2 on that is a shared object with its libcrypto beside it, such as the wheels of psycopg2-binary bring along
(2.7.5: 1.0.2o, 2.9.3: 1.1.1l, 2.9.13: 3.5.8), and those of htcondor (23.0.28: CentOS 7's 1.0.2k, 25.14.1: AlmaLinux 8's 1.1.1k).
Needs LD_LIBRARY_PATH where they need one another.
"""

import ctypes
import glob
import os
import sys

INVALID_COMMAND = 280  # SSL_R_INVALID_COMMAND

beside = os.path.dirname(os.path.abspath(sys.argv[1]))
crypto = ctypes.CDLL(glob.glob(beside + "/libcrypto*.so*")[0], ctypes.RTLD_GLOBAL)
ssl = ctypes.CDLL(sys.argv[1])
old = hasattr(ssl, "SSL_library_init")


def function(library, name, result, *arguments):
    found = getattr(library, name)
    found.restype, found.argtypes = result, arguments
    return found


pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
version = function(crypto, "SSLeay_version" if old else "OpenSSL_version", text, number)
if old:
    ssl.SSL_library_init()
method = function(ssl, "SSLv23_method" if old else "TLS_method", pointer)
new_context = function(ssl, "SSL_CTX_new", pointer, pointer)
free_context = function(ssl, "SSL_CTX_free", None, pointer)
if not old:
    set_ciphersuites = function(ssl, "SSL_CTX_set_ciphersuites", number, pointer, text)
set_list = function(ssl, "SSL_CTX_set_cipher_list", number, pointer, text)
connection = function(ssl, "SSL_new", pointer, pointer)
free = function(ssl, "SSL_free", None, pointer)
ciphers = function(ssl, "SSL_get_ciphers", pointer, pointer)
count = function(crypto, "sk_num" if old else "OPENSSL_sk_num", number, pointer)
value = function(crypto, "sk_value" if old else "OPENSSL_sk_value", pointer, pointer, number)
code = function(ssl, "SSL_CIPHER_get_id", ctypes.c_ulong if old else ctypes.c_uint32, pointer)
error = function(crypto, "ERR_get_error", ctypes.c_ulong)

print("#", version(0).decode())
for line in sys.stdin:
    string = line.rstrip("\n")
    while error():
        pass
    # A context of its own: it remembers Suite B.
    context = new_context(method())
    if not old:
        # Without TLS 1.3's suites.
        set_ciphersuites(context, b"")
    if set_list(context, string.encode()):
        one = connection(context)
        found = ciphers(one)
        codes = [code(value(found, at)) & 0xFFFF for at in range(count(found))]
        free(one)
        print(string, " ".join(f"{one:04x}" for one in codes), sep="\t")
    else:
        print(string, "invalid command" if error() & 0xFFF == INVALID_COMMAND else "no match", sep="\t")
    free_context(context)
