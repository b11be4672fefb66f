#ifndef SIDEKICK_CLINUX_SHIM_H
#define SIDEKICK_CLINUX_SHIM_H

// System calls that glibc declares only under _GNU_SOURCE, which Swift's Glibc module does not define.

#include <linux/stat.h>
#include <malloc.h>
#include <sys/inotify.h>

/// renameat2(2); with flags 0 it is renameat.
extern int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags);

/// syncfs(2): everything dirty on the file system that holds the descriptor.
extern int syncfs(int descriptor);

extern int statx(int directory, const char *path, int flags, unsigned int mask, struct statx *result);

static const unsigned int sidekick_rename_exchange = 1u << 1;

/// 1 when the path is the root of a mount (STATX_ATTR_MOUNT_ROOT, Linux 5.8), 0 when not, -1 when unknown.
static inline int sidekick_is_mount_root(const char *path) {
    struct statx status;
    if (statx(-100 /* AT_FDCWD */, path, 0x100 /* AT_SYMLINK_NOFOLLOW */, STATX_TYPE, &status) != 0) return -1;
    if (!(status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)) return -1;
    return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) ? 1 : 0;
}

/// memfd_create(2), closed in children.
extern int memfd_create(const char *name, unsigned int flags);
static inline int sidekick_memfd(const char *name) { return memfd_create(name, 1u /* MFD_CLOEXEC */ | 2u /* MFD_ALLOW_SEALING */); }

/// prctl(2), PR_GET_CHILD_SUBREAPER: whether processes that lose their parents become children of this one.
extern int prctl(int option, ...);
static inline int sidekick_is_subreaper(void) {
    int is = 0;
    return prctl(37, &is, 0, 0, 0) == 0 && is;
}

/// fcntl(2), F_ADD_SEALS: no more, no shorter, no other bytes.
extern int fcntl(int descriptor, int command, ...);
static inline int sidekick_seal(int descriptor) { return fcntl(descriptor, 1033, 0x1 | 0x2 | 0x4 | 0x8); }

#endif
