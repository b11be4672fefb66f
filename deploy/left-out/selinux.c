// What Debian's ssh asks of libselinux, in the image: there is none. A container has no selinuxfs, so the library itself would say
// the same; it and its patterns (libpcre2) are 0.8 MB.
#include <stddef.h>

int is_selinux_enabled(void) { return 0; }
int security_getenforce(void) { return -1; }

int getcon(char **context) { return *context = NULL, -1; }
int getfilecon(const char *path, char **context) { return *context = NULL, -1; }
int matchpathcon(const char *path, unsigned mode, char **context) { return *context = NULL, -1; }
void freecon(char *context) {}
int setcon(const char *context) { return -1; }
int setexeccon(const char *context) { return -1; }
int setfilecon(const char *path, const char *context) { return -1; }
int setfscreatecon(const char *context) { return -1; }

// Of the server, whose code is in the same library of OpenSSH.
int getseuserbyname(const char *name, char **user, char **level) { return -1; }
int get_default_context_with_level(const char *user, const char *level, const char *from, char **context) { return -1; }
int get_default_context_with_rolelevel(const char *user, const char *role, const char *level, const char *from, char **context) {
    return -1;
}
int security_compute_relabel(const char *source, const char *target, unsigned short kind, char **context) { return -1; }
unsigned short string_to_security_class(const char *name) { return 0; }
