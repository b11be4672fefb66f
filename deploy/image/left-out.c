// What libgit2's archive refers to and the program never uses: ssh is a program here, and no server is answered with Kerberos.
// Each does what libgit2's own does where it is built without that, and so keeps libssh2 and Kerberos out.
#include <git2/errors.h>

int git_transport_ssh_global_init(void) { return 0; }

int git_smart_subtransport_ssh(void **out, void *transport, void *parameter) {
    *out = 0;
    return git_error_set_str(GIT_ERROR_SSH, "this program has no ssh of libgit2's"), GIT_ERROR;
}

int git_transport_ssh_with_paths(void **out, void *remote, void *parameter) {
    return git_smart_subtransport_ssh(out, remote, parameter);
}

int git_http_auth_negotiate(void **out, const void *url) {
    *out = 0;
    return GIT_PASSTHROUGH;
}
