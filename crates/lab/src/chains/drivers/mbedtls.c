/* Reads "id host port anchors" lines, prints "id ok" or "id no reason". mbed TLS 2.28 and 3. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    char line[4096];
    if (argc > 1) {
        mbedtls_version_get_string_full(line);
        return puts(line) < 0;
    }
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random);
    mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0);
#if MBEDTLS_VERSION_MAJOR >= 3
    psa_crypto_init();
#endif
    while (fgets(line, sizeof line, stdin)) {
        char *id = strtok(line, "\t\n"), *host = strtok(NULL, "\t\n"), *port = strtok(NULL, "\t\n"), *anchors = strtok(NULL, "\t\n");
        mbedtls_net_context net;
        mbedtls_ssl_context ssl;
        mbedtls_ssl_config config;
        mbedtls_x509_crt store;
        int result;
        mbedtls_net_init(&net);
        mbedtls_ssl_init(&ssl);
        mbedtls_ssl_config_init(&config);
        mbedtls_x509_crt_init(&store);
        mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
        result = mbedtls_x509_crt_parse_file(&store, anchors);
        mbedtls_ssl_conf_ca_chain(&config, &store, NULL);
        mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
        mbedtls_ssl_setup(&ssl, &config);
        mbedtls_ssl_set_hostname(&ssl, host);
        if (result == 0) result = mbedtls_net_connect(&net, "127.0.0.1", port, MBEDTLS_NET_PROTO_TCP);
        mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
        if (result == 0) do result = mbedtls_ssl_handshake(&ssl);
            while (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE);
        if (result == 0) printf("%s\tok\n", id);
        else printf("%s\tno\tcode -0x%04x, verify flags 0x%x\n", id, (unsigned)-result, (unsigned)mbedtls_ssl_get_verify_result(&ssl));
        fflush(stdout);
        mbedtls_ssl_free(&ssl);
        mbedtls_net_free(&net);
        mbedtls_ssl_config_free(&config);
        mbedtls_x509_crt_free(&store);
    }
    return 0;
}
