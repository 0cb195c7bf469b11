/* Reads "id host port anchors" lines, prints "id ok" or "id no reason". */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char line[4096], text[WOLFSSL_MAX_ERROR_SZ];
    if (argc > 1) return printf("wolfSSL %s\n", wolfSSL_lib_version()) < 0;
    wolfSSL_Init();
    while (fgets(line, sizeof line, stdin)) {
        char *id = strtok(line, "\t\n"), *host = strtok(NULL, "\t\n"), *port = strtok(NULL, "\t\n"), *anchors = strtok(NULL, "\t\n");
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct in_addr address;
        int is_address = inet_pton(AF_INET, host, &address) == 1;
        WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfSSLv23_client_method());
        /* Debian builds the library so that it verifies nothing unless asked to. */
        wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER, NULL);
        int loaded = wolfSSL_CTX_load_verify_locations(context, anchors, NULL);
        WOLFSSL *ssl = wolfSSL_new(context);
        int plain = socket(AF_INET, SOCK_STREAM, 0);
        if (!is_address) wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, host, strlen(host));
        /* As libcurl does: of names and addresses alike. */
        wolfSSL_check_domain_name(ssl, host);
        if (loaded != WOLFSSL_SUCCESS) {
            printf("%s\tno\tthe store is not read: %s\n", id, wolfSSL_ERR_error_string(loaded, text));
        } else if (connect(plain, (struct sockaddr *)&to, sizeof to) != 0) {
            printf("%s\tno\tconnect\n", id);
        } else {
            wolfSSL_set_fd(ssl, plain);
            if (wolfSSL_connect(ssl) == WOLFSSL_SUCCESS) printf("%s\tok\n", id);
            else printf("%s\tno\t%s\n", id, wolfSSL_ERR_error_string(wolfSSL_get_error(ssl, 0), text));
        }
        fflush(stdout);
        wolfSSL_free(ssl);
        close(plain);
        wolfSSL_CTX_free(context);
    }
    return 0;
}
