// Preloaded into sidekick by tests: makes the Nth call that changes the disk the last one, or one that fails.
//
//   FAULT_AT=N      which call
//   FAULT_ERRNO=E   it fails with this errno, as does every later one; unset: the process is killed before it
//   FAULT_COUNT=F   the number of calls is written to this file at exit
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;

static int fault(void) {
    const char *at = getenv("FAULT_AT");
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (!at || number < atol(at)) return 0;
    const char *code = getenv("FAULT_ERRNO");
    if (!code) {
        if (number == atol(at)) kill(getpid(), SIGKILL);
        return 0;
    }
    errno = atoi(code);
    return 1;
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("FAULT_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld", atomic_load(&calls));
    fclose(file);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int renameat(int from, const char *old, int to, const char *new) {
    return fault() ? -1 : NEXT(renameat)(from, old, to, new);
}
int rename(const char *old, const char *new) { return fault() ? -1 : NEXT(rename)(old, new); }
int renameat2(int from, const char *old, int to, const char *new, unsigned int flags) {
    return fault() ? -1 : NEXT(renameat2)(from, old, to, new, flags);
}
int linkat(int from, const char *old, int to, const char *new, int flags) {
    return fault() ? -1 : NEXT(linkat)(from, old, to, new, flags);
}
int symlinkat(const char *target, int folder, const char *name) {
    return fault() ? -1 : NEXT(symlinkat)(target, folder, name);
}
int mkdirat(int folder, const char *name, mode_t mode) { return fault() ? -1 : NEXT(mkdirat)(folder, name, mode); }
int mkdir(const char *path, mode_t mode) { return fault() ? -1 : NEXT(mkdir)(path, mode); }
int fsync(int file) { return fault() ? -1 : NEXT(fsync)(file); }
int syncfs(int file) { return fault() ? -1 : NEXT(syncfs)(file); }

// Removing never fails on a full disk.
int unlinkat(int folder, const char *name, int flags) {
    return !getenv("FAULT_ERRNO") && fault() ? -1 : NEXT(unlinkat)(folder, name, flags);
}

int openat(int folder, const char *name, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    return flags & O_CREAT && fault() ? -1 : NEXT(openat)(folder, name, flags, mode);
}

ssize_t write(int file, const void *data, size_t size) {
    struct stat status;
    if (file > 2 && fstat(file, &status) == 0 && S_ISREG(status.st_mode) && fault()) return -1;
    return NEXT(write)(file, data, size);
}
