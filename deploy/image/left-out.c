// What libgit2's archive refers to and the program never uses: it opens no connection of libgit2's, so none of its transports,
// of TLS, of ssh or of Kerberos; and it reads no object whose name is a SHA-256. Each does what libgit2's own does where it is
// built without that, and so keeps mbedTLS, http_parser, libssh2 and Kerberos out.
#include <git2/errors.h>

static int left_out(void **out) {
    if (out) *out = 0;
    return git_error_set_str(GIT_ERROR_NET, "this program has no network of libgit2's"), GIT_ERROR;
}

int git_transport_ssh_global_init(void) { return 0; }
int git_smart_subtransport_ssh(void **out, void *transport, void *parameter) { return left_out(out); }
int git_transport_ssh_with_paths(void **out, void *remote, void *parameter) { return left_out(out); }
int git_smart_subtransport_http(void **out, void *transport, void *parameter) { return left_out(out); }
int git_http_auth_negotiate(void **out, const void *url) {
    *out = 0;
    return GIT_PASSTHROUGH;
}

int git_mbedtls_stream_global_init(void) { return 0; }
int git_mbedtls_stream_new(void **out, const char *host, const char *port) { return left_out(out); }
int git_mbedtls_stream_wrap(void **out, void *stream, const char *host) { return left_out(out); }
int git_mbedtls__set_cert_location(const char *file, const char *path) { return left_out(0); }

// Of an address in a repository's configuration.
int http_parser_parse_url(const char *text, unsigned long size, int connect, void *url) { return 1; }

int git_hash_sha256_global_init(void) { return 0; }
int git_hash_sha256_ctx_init(void *context) { return left_out(0); }
void git_hash_sha256_ctx_cleanup(void *context) {}
int git_hash_sha256_init(void *context) { return left_out(0); }
int git_hash_sha256_update(void *context, const void *data, unsigned long size) { return left_out(0); }
int git_hash_sha256_final(unsigned char *out, void *context) { return left_out(0); }

// A setting of that http.
_Bool git_http__expect_continue = 0;
