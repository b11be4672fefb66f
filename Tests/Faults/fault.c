// Preloaded into sidekick by tests: makes one call that changes the disk the last one, or one that fails. Linked into tests, it does
// so for the calls below a folder; see faults.h.
//
//   FAULT_AT=N           which call, counted over all threads
//   FAULT_ERRNO=E        it fails with this errno; unset: the process is killed at it, with half of what a write has
//   FAULT_STICKY=1       so does every later one
//   FAULT_LOG=F          every call is appended to F: its number, `-`, `failed` or `killed`, its name, its paths
//   FAULT_HANG=F         while there is a file F, each of them, and each that opens or looks at something, waits, when it is
//                        about something in the folder of F
//   FAULT_DELAY=N        each of them takes N microseconds more, as on a disk that is reached over a network
//   FAULT_SKIP_SYNC=1    syncs are counted and not done: what is killed here is a process and not the machine
//   FAULT_READ=S         reading a file whose path has S in it fails with EIO, uncounted: a bad sector
//   FAULT_GRAVES=F       what a call takes a name from gets another one in the folder F, its number, and F/log says of each call what it
//                        does to which inode: enough to undo it
//
// Counted are the calls of glibc that make, name, fill, sync, mark and remove files. Not seen are writes through a shared
// mapping, system calls without glibc's wrapper, and what stdio writes other than in fflush and fclose: strace finds none
// of them in a pass.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "include/faults.h"

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// Which call fails, and how.
struct rule {
    // NULL for all of them.
    char *folder;
    long calls, at;
    int code, sticky;
};

// The first is that of the environment.
static struct rule rules[9];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int armed;
static int skips_sync, trace = -1;
static long delay;
static const char *hang, *bad;
static const char *graves;
static int graves_log = -1;
static char made[4500];
static _Thread_local unsigned rename_flags;
// Of the rule that the last call of this thread met.
static _Thread_local int code, sticky;

__attribute__((constructor)) static void start(void) {
    const char *text;
    if ((text = getenv("FAULT_AT"))) rules[0].at = atol(text);
    if ((text = getenv("FAULT_ERRNO"))) rules[0].code = atoi(text);
    rules[0].sticky = getenv("FAULT_STICKY") != NULL;
    hang = getenv("FAULT_HANG");
    bad = getenv("FAULT_READ");
    if ((text = getenv("FAULT_DELAY"))) delay = atol(text);
    skips_sync = getenv("FAULT_SKIP_SYNC") != NULL;
    if ((text = getenv("FAULT_LOG"))) {
        int file = syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        // Out of the way of whatever expects the lowest free descriptor.
        trace = fcntl(file, F_DUPFD_CLOEXEC, 500);
        syscall(SYS_close, file);
    }
    if ((graves = getenv("FAULT_GRAVES"))) {
        char path[300];
        snprintf(path, sizeof path, "%s/log", graves);
        int file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        graves_log = fcntl(file, F_DUPFD_CLOEXEC, 501);
        syscall(SYS_close, file);
    }
    if (rules[0].at > 0 || trace >= 0 || graves_log >= 0) armed = 1;
}

void fault_arm(const char *folder, long at, int code, int sticky) {
    pthread_mutex_lock(&lock);
    for (int i = 1; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].folder) continue;
        rules[i] = (struct rule){strdup(folder), 0, at, code, sticky};
        armed++;
        break;
    }
    pthread_mutex_unlock(&lock);
}

long fault_disarm(const char *folder) {
    long calls = 0;
    pthread_mutex_lock(&lock);
    for (int i = 1; i < sizeof rules / sizeof *rules; i++) {
        if (!rules[i].folder || strcmp(rules[i].folder, folder) != 0) continue;
        calls = rules[i].calls;
        free(rules[i].folder);
        rules[i] = (struct rule){0};
        armed--;
    }
    pthread_mutex_unlock(&lock);
    return calls;
}

// A full disk and a full quota let go of what is there, and mark it.
enum kind { TAKES_SPACE, NEEDS_NONE };

struct place {
    int folder;
    const char *name;
};

static int append(char *text, int used, int size, struct place place) {
    if (place.folder == -1) return used;
    text[used++] = '\t';
    if (place.folder != AT_FDCWD && !(place.name && place.name[0] == '/')) {
        char link[40];
        snprintf(link, sizeof link, "/proc/self/fd/%d", place.folder);
        ssize_t length = readlink(link, text + used, size - used - 2);
        if (length > 0) used += length;
        if (place.name) text[used++] = '/';
    }
    for (const char *name = place.name; name && *name && used < size - 2; name++) text[used++] = *name;
    return used;
}

static void note(long number, const char *what, const char *call, struct place one, struct place other) {
    if (trace < 0) return;
    char text[9000];
    int used = snprintf(text, 100, "%ld\t%s\t%s", number, what, call);
    used = append(text, used, 4400, one);
    used = append(text, used, sizeof text, other);
    text[used++] = '\n';
    syscall(SYS_write, trace, text, used);
}

// MARK: what is needed to undo a call

// A path, and what is there now: its folder's inode, its own, its kind and its size; zeros for nothing.
static int describe(char *text, int size, struct place place, char *path, struct stat *status) {
    int used = append(path, 0, 4400, place);
    path[used] = 0;
    memmove(path, path + 1, used);
    struct stat folder = {0};
    *status = (struct stat){0};
    // The calls themselves: the wrappers below are counted.
    if (!place.name) syscall(SYS_newfstatat, place.folder, "", status, AT_EMPTY_PATH);
    else syscall(SYS_newfstatat, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
    char *slash = strrchr(path, '/');
    if (slash) {
        *slash = 0;
        syscall(SYS_newfstatat, AT_FDCWD, slash == path ? "/" : path, &folder, 0);
        *slash = '/';
    }
    return snprintf(text, size, "\t%s\t%lu\t%lu\t%o\t%ld", path, (unsigned long)folder.st_ino,
                    (unsigned long)status->st_ino, status->st_mode & S_IFMT, (long)status->st_size);
}

// What the last call has made can be told only after it.
static void tell_made(void) {
    if (!made[0]) return;
    struct stat status;
    char text[4600];
    if (syscall(SYS_newfstatat, AT_FDCWD, made, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        int used = snprintf(text, sizeof text, "made\t%lu\t%o\n", (unsigned long)status.st_ino, status.st_mode & S_IFMT);
        syscall(SYS_write, graves_log, text, used);
    }
    made[0] = 0;
}

static int takes_a_name(const char *call) {
    return strstr(call, "unlink") || strstr(call, "rename") || !strcmp(call, "remove");
}

static void record(long number, const char *call, struct place one, struct place other) {
    if (graves_log < 0) return;
    int before = errno;
    tell_made();
    char text[9400], paths[2][4500];
    struct stat status[2];
    int used = snprintf(text, 100, "%ld\t%s%s", number, call, rename_flags & 2 ? "-exchange" : "");
    if (one.folder != -1) used += describe(text + used, 4600, one, paths[0], &status[0]);
    if (other.folder != -1) used += describe(text + used, 4600, other, paths[1], &status[1]);
    text[used++] = '\n';
    syscall(SYS_write, graves_log, text, used);
    if (takes_a_name(call) && !(rename_flags & 2)) {
        int victim = other.folder != -1;
        if (status[victim].st_ino && !S_ISDIR(status[victim].st_mode)) {
            char grave[300];
            snprintf(grave, sizeof grave, "%s/%ld", graves, number);
            syscall(SYS_linkat, AT_FDCWD, paths[victim], AT_FDCWD, grave, 0);
        }
    } else if (one.folder != -1 && strcmp(call, "write")) {
        strcpy(made, paths[other.folder != -1]);
    }
    errno = before;
}

enum verdict { PASSES, FAILS, DIES };

static int is_in(const char *folder, size_t length, struct place place) {
    if (place.folder == -1) return 0;
    char text[4500];
    int used = append(text, 0, sizeof text, place);
    if (used < 1 || text[1] != '/') return 0;
    text[used] = 0;
    return strncmp(text + 1, folder, length) == 0;
}

// The folder of FAULT_HANG is the volume. libdispatch looks into /proc to see whether threads wait, and a hook gets /dev/null:
// those are no volume, and a process that cannot have them is no process with a volume that hangs.
static int is_on_volume(struct place place) {
    const char *end = strrchr(hang, '/');
    return end && is_in(hang, end - hang, place);
}

// As of a volume whose server is gone.
static void wait_for_disk(struct place place) {
    if (!hang || syscall(SYS_access, hang, F_OK) != 0) return;
    int before = errno;
    while (is_on_volume(place) && syscall(SYS_access, hang, F_OK) == 0)
        syscall(SYS_nanosleep, &(struct timespec){0, 10000000}, NULL);
    errno = before;
}

static enum verdict judge(const char *call, enum kind kind, struct place one, struct place other) {
    wait_for_disk(one);
    if (delay) syscall(SYS_nanosleep, &(struct timespec){delay / 1000000, delay % 1000000 * 1000}, NULL);
    if (!armed) return PASSES;
    int before = errno;
    long number = 0;
    enum verdict verdict = PASSES;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < sizeof rules / sizeof *rules && verdict == PASSES; i++) {
        struct rule *rule = &rules[i];
        if (i > 0 && (!rule->folder || !is_in(rule->folder, strlen(rule->folder), one))) continue;
        number = ++rule->calls;
        if (rule->at <= 0 || number < rule->at || (number > rule->at && !rule->sticky)) continue;
        code = rule->code;
        sticky = rule->sticky;
        if (code == 0) {
            verdict = DIES;
        } else if (kind == TAKES_SPACE || (code != ENOSPC && code != EDQUOT)) {
            verdict = FAILS;
        }
    }
    // Here, so that the log has them in the order of their numbers.
    if (verdict == PASSES) record(number, call, one, other);
    else if (graves_log >= 0) tell_made();
    pthread_mutex_unlock(&lock);
    note(number, verdict == PASSES ? "-" : verdict == FAILS ? "failed" : "killed", call, one, other);
    errno = verdict == FAILS ? code : before;
    return verdict;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int faulty(const char *call, enum kind kind, struct place one, struct place other) {
    enum verdict verdict = judge(call, kind, one, other);
    if (verdict == DIES) die();
    return verdict == FAILS;
}

static const struct place none = {-1, NULL};
#define AT(folder, name) ((struct place){folder, name})
#define PATH(name) ((struct place){AT_FDCWD, name})
#define FILE_OF(file) ((struct place){file, NULL})

// MARK: names

int rename(const char *old, const char *new) {
    return faulty("rename", TAKES_SPACE, PATH(old), PATH(new)) ? -1 : NEXT(rename)(old, new);
}
int renameat(int from, const char *old, int to, const char *new) {
    return faulty("renameat", TAKES_SPACE, AT(from, old), AT(to, new)) ? -1 : NEXT(renameat)(from, old, to, new);
}
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    rename_flags = flags;
    int fails = faulty("renameat2", TAKES_SPACE, AT(from, old), AT(to, new));
    rename_flags = 0;
    return fails ? -1 : NEXT(renameat2)(from, old, to, new, flags);
}
int link(const char *old, const char *new) {
    return faulty("link", TAKES_SPACE, PATH(old), PATH(new)) ? -1 : NEXT(link)(old, new);
}
int linkat(int from, const char *old, int to, const char *new, int flags) {
    return faulty("linkat", TAKES_SPACE, AT(from, old), AT(to, new)) ? -1 : NEXT(linkat)(from, old, to, new, flags);
}
int symlink(const char *target, const char *name) {
    return faulty("symlink", TAKES_SPACE, PATH(name), none) ? -1 : NEXT(symlink)(target, name);
}
int symlinkat(const char *target, int folder, const char *name) {
    return faulty("symlinkat", TAKES_SPACE, AT(folder, name), none) ? -1 : NEXT(symlinkat)(target, folder, name);
}
int mkdir(const char *name, mode_t mode) {
    return faulty("mkdir", TAKES_SPACE, PATH(name), none) ? -1 : NEXT(mkdir)(name, mode);
}
int mkdirat(int folder, const char *name, mode_t mode) {
    return faulty("mkdirat", TAKES_SPACE, AT(folder, name), none) ? -1 : NEXT(mkdirat)(folder, name, mode);
}
int unlink(const char *name) { return faulty("unlink", NEEDS_NONE, PATH(name), none) ? -1 : NEXT(unlink)(name); }
int unlinkat(int folder, const char *name, int flags) {
    return faulty("unlinkat", NEEDS_NONE, AT(folder, name), none) ? -1 : NEXT(unlinkat)(folder, name, flags);
}
int rmdir(const char *name) { return faulty("rmdir", NEEDS_NONE, PATH(name), none) ? -1 : NEXT(rmdir)(name); }
int remove(const char *name) { return faulty("remove", NEEDS_NONE, PATH(name), none) ? -1 : NEXT(remove)(name); }

// MARK: opening

static int makes(int flags) { return flags & (O_CREAT | O_TRUNC) || (flags & O_TMPFILE) == O_TMPFILE; }

#define MODE(flags)                                                                                                    \
    ({                                                                                                                 \
        mode_t mode = 0;                                                                                               \
        if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) {                                                 \
            va_list list;                                                                                              \
            va_start(list, flags);                                                                                     \
            mode = va_arg(list, mode_t);                                                                               \
            va_end(list);                                                                                              \
        }                                                                                                              \
        mode;                                                                                                          \
    })

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        mode_t mode = MODE(flags);                                                                                     \
        wait_for_disk(PATH(path));                                                                                     \
        if (makes(flags) && faulty("open", TAKES_SPACE, PATH(path), none)) return -1;                                  \
        return NEXT(name)(path, flags, mode);                                                                          \
    }
#define OPENAT(name)                                                                                                   \
    int name(int folder, const char *path, int flags, ...) {                                                           \
        mode_t mode = MODE(flags);                                                                                     \
        wait_for_disk(AT(folder, path));                                                                               \
        if (makes(flags) && faulty("openat", TAKES_SPACE, AT(folder, path), none)) return -1;                          \
        return NEXT(name)(folder, path, flags, mode);                                                                  \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

#define CREAT(name)                                                                                                    \
    int name(const char *path, mode_t mode) {                                                                          \
        return faulty("creat", TAKES_SPACE, PATH(path), none) ? -1 : NEXT(name)(path, mode);                           \
    }
CREAT(creat)
CREAT(creat64)

#define TEMPORARY(name)                                                                                                \
    int name(char *path) { return faulty("open", TAKES_SPACE, PATH(path), none) ? -1 : NEXT(name)(path); }
TEMPORARY(mkstemp)
TEMPORARY(mkstemp64)
char *mkdtemp(char *path) { return faulty("mkdir", TAKES_SPACE, PATH(path), none) ? NULL : NEXT(mkdtemp)(path); }

#define FOPEN(name)                                                                                                    \
    FILE *name(const char *path, const char *mode) {                                                                   \
        if (mode[0] != 'r' && faulty("open", TAKES_SPACE, PATH(path), none)) return NULL;                              \
        return NEXT(name)(path, mode);                                                                                 \
    }
FOPEN(fopen)
FOPEN(fopen64)

// MARK: looking

int stat(const char *path, struct stat *status) {
    wait_for_disk(PATH(path));
    return NEXT(stat)(path, status);
}
int lstat(const char *path, struct stat *status) {
    wait_for_disk(PATH(path));
    return NEXT(lstat)(path, status);
}
int fstatat(int folder, const char *path, struct stat *status, int flags) {
    wait_for_disk(AT(folder, path));
    return NEXT(fstatat)(folder, path, status, flags);
}
int access(const char *path, int mode) {
    wait_for_disk(PATH(path));
    return NEXT(access)(path, mode);
}

// MARK: writing

// Not pipes and sockets, nor what the process prints.
static int is_file(int file) {
    struct stat status;
    int before = errno;
    int is = file > 2 && fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    errno = before;
    return is;
}

// What is killed, and a disk that is full, leave half of it; the next write finds no space at all.
#define WRITE(file, size, write_first)                                                                                 \
    if (is_file(file)) {                                                                                               \
        enum verdict verdict = judge("write", TAKES_SPACE, FILE_OF(file), none);                                       \
        size_t half = (size) / 2;                                                                                      \
        if (verdict == FAILS && (half == 0 || !sticky)) return -1;                                                     \
        if (verdict != PASSES) {                                                                                       \
            ssize_t written = half > 0 ? (write_first) : 0;                                                            \
            if (verdict == DIES) die();                                                                                \
            return written;                                                                                            \
        }                                                                                                              \
    }

// A bad sector under what is read.
static int is_bad(int file) {
    char name[40], path[4097];
    if (!bad || file < 0) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (!strstr(path, bad)) return 0;
    errno = EIO;
    return 1;
}

ssize_t read(int file, void *data, size_t size) { return is_bad(file) ? -1 : NEXT(read)(file, data, size); }

ssize_t pread(int file, void *data, size_t size, off_t offset) {
    return is_bad(file) ? -1 : NEXT(pread)(file, data, size, offset);
}

ssize_t pread64(int file, void *data, size_t size, off64_t offset) {
    return is_bad(file) ? -1 : NEXT(pread64)(file, data, size, offset);
}

ssize_t write(int file, const void *data, size_t size) {
    WRITE(file, size, NEXT(write)(file, data, half))
    return NEXT(write)(file, data, size);
}
#define PWRITE(name, offset)                                                                                           \
    ssize_t name(int file, const void *data, size_t size, offset start) {                                              \
        WRITE(file, size, NEXT(name)(file, data, half, start))                                                         \
        return NEXT(name)(file, data, size, start);                                                                    \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int file, const struct iovec *parts, int count) {
    if (is_file(file) && faulty("write", TAKES_SPACE, FILE_OF(file), none)) return -1;
    return NEXT(writev)(file, parts, count);
}
#define PWRITEV(name, offset)                                                                                          \
    ssize_t name(int file, const struct iovec *parts, int count, offset start) {                                       \
        if (is_file(file) && faulty("write", TAKES_SPACE, FILE_OF(file), none)) return -1;                             \
        return NEXT(name)(file, parts, count, start);                                                                  \
    }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

ssize_t sendfile(int to, int from, off_t *offset, size_t size) {
    if (is_file(to) && faulty("write", TAKES_SPACE, FILE_OF(to), none)) return -1;
    return NEXT(sendfile)(to, from, offset, size);
}
ssize_t copy_file_range(int from, off64_t *start, int to, off64_t *offset, size_t size, unsigned flags) {
    if (faulty("write", TAKES_SPACE, FILE_OF(to), none)) return -1;
    return NEXT(copy_file_range)(from, start, to, offset, size, flags);
}

// A stream's bytes are written by glibc inside of itself.
static int is_pending(FILE *stream) { return stream && __fpending(stream) > 0 && is_file(fileno_unlocked(stream)); }

int fflush(FILE *stream) {
    if (is_pending(stream) && faulty("write", TAKES_SPACE, FILE_OF(fileno_unlocked(stream)), none)) {
        __fpurge(stream);
        return EOF;
    }
    return NEXT(fflush)(stream);
}
int fclose(FILE *stream) {
    if (is_pending(stream) && faulty("write", TAKES_SPACE, FILE_OF(fileno_unlocked(stream)), none)) {
        __fpurge(stream);
        NEXT(fclose)(stream);
        errno = code;
        return EOF;
    }
    return NEXT(fclose)(stream);
}

// MARK: length and space

#define LENGTH(name, offset)                                                                                           \
    int f##name(int file, offset size) {                                                                               \
        return faulty("ftruncate", size ? TAKES_SPACE : NEEDS_NONE, FILE_OF(file), none) ? -1                          \
                                                                                        : NEXT(f##name)(file, size);   \
    }                                                                                                                  \
    int name(const char *path, offset size) {                                                                          \
        return faulty("truncate", size ? TAKES_SPACE : NEEDS_NONE, PATH(path), none) ? -1 : NEXT(name)(path, size);    \
    }
LENGTH(truncate, off_t)
LENGTH(truncate64, off64_t)

#define ALLOCATE(name, offset)                                                                                         \
    int name(int file, int mode, offset start, offset size) {                                                          \
        return faulty("fallocate", TAKES_SPACE, FILE_OF(file), none) ? -1 : NEXT(name)(file, mode, start, size);       \
    }                                                                                                                  \
    int posix_##name(int file, offset start, offset size) {                                                            \
        return faulty("fallocate", TAKES_SPACE, FILE_OF(file), none) ? code : NEXT(posix_##name)(file, start, size);   \
    }
ALLOCATE(fallocate, off_t)
ALLOCATE(fallocate64, off64_t)

// MARK: syncing

#define SYNC(name)                                                                                                     \
    int name(int file) {                                                                                               \
        if (faulty(#name, TAKES_SPACE, FILE_OF(file), none)) return -1;                                                \
        return skips_sync ? 0 : NEXT(name)(file);                                                                      \
    }
SYNC(fsync)
SYNC(fdatasync)
SYNC(syncfs)
void sync(void) {
    if (!faulty("sync", TAKES_SPACE, none, none) && !skips_sync) NEXT(sync)();
}

// MARK: times, modes, owners, attributes

int utimensat(int folder, const char *name, const struct timespec times[2], int flags) {
    return faulty("utimensat", NEEDS_NONE, AT(folder, name), none) ? -1 : NEXT(utimensat)(folder, name, times, flags);
}
int futimens(int file, const struct timespec times[2]) {
    return faulty("futimens", NEEDS_NONE, FILE_OF(file), none) ? -1 : NEXT(futimens)(file, times);
}
int utimes(const char *name, const struct timeval times[2]) {
    return faulty("utimes", NEEDS_NONE, PATH(name), none) ? -1 : NEXT(utimes)(name, times);
}
int futimes(int file, const struct timeval times[2]) {
    return faulty("futimes", NEEDS_NONE, FILE_OF(file), none) ? -1 : NEXT(futimes)(file, times);
}
int chmod(const char *name, mode_t mode) {
    return faulty("chmod", NEEDS_NONE, PATH(name), none) ? -1 : NEXT(chmod)(name, mode);
}
int fchmod(int file, mode_t mode) {
    return faulty("fchmod", NEEDS_NONE, FILE_OF(file), none) ? -1 : NEXT(fchmod)(file, mode);
}
int fchmodat(int folder, const char *name, mode_t mode, int flags) {
    return faulty("fchmodat", NEEDS_NONE, AT(folder, name), none) ? -1 : NEXT(fchmodat)(folder, name, mode, flags);
}
int chown(const char *name, uid_t user, gid_t group) {
    return faulty("chown", NEEDS_NONE, PATH(name), none) ? -1 : NEXT(chown)(name, user, group);
}
int lchown(const char *name, uid_t user, gid_t group) {
    return faulty("lchown", NEEDS_NONE, PATH(name), none) ? -1 : NEXT(lchown)(name, user, group);
}
int fchown(int file, uid_t user, gid_t group) {
    return faulty("fchown", NEEDS_NONE, FILE_OF(file), none) ? -1 : NEXT(fchown)(file, user, group);
}
int fchownat(int folder, const char *name, uid_t user, gid_t group, int flags) {
    return faulty("fchownat", NEEDS_NONE, AT(folder, name), none) ? -1
                                                                  : NEXT(fchownat)(folder, name, user, group, flags);
}
int setxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
    return faulty("setxattr", TAKES_SPACE, PATH(path), none) ? -1 : NEXT(setxattr)(path, name, value, size, flags);
}
int fsetxattr(int file, const char *name, const void *value, size_t size, int flags) {
    return faulty("fsetxattr", TAKES_SPACE, FILE_OF(file), none) ? -1 : NEXT(fsetxattr)(file, name, value, size, flags);
}
