// Digests whose state is a value, as OpenSSL 1.1 has them: nothing to be allocated, fetched or freed for each of many files.
#define OPENSSL_API_COMPAT 10100
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// What OpenSSL has as macros.
static inline void openssl_at_least_tls12(SSL_CTX *context) { SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION); }
static inline void openssl_set_modes(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}
static inline int openssl_server_name(SSL *session, const char *name) { return SSL_set_tlsext_host_name(session, name) == 1; }
