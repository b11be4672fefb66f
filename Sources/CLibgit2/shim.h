#ifndef SIDEKICK_CLIBGIT2_SHIM_H
#define SIDEKICK_CLIBGIT2_SHIM_H

#include <git2.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>

// git_libgit2_opts is variadic, which Swift does not import. One function for each option in use.

/// A volume's root often belongs to another uid than the process: normal in containers, refused by default.
static inline int sidekick_disable_owner_validation(void) {
    return git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

/// An empty path keeps the host's git configuration of that level out.
static inline int sidekick_set_search_path(int level, const char *path) {
    return git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, path);
}

/// fsync of packs, indexes and references as they are written: a crash must not leave a reference without its objects.
static inline int sidekick_enable_fsync(void) {
    return git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
}

/// How large an object of a kind may be, in bytes, to be kept in memory once it was read; 0 for never.
static inline int sidekick_set_cache_object_limit(git_object_t kind, size_t bytes) {
    return git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, (int)kind, bytes);
}

/// The most bytes of objects that are kept in memory once they were read.
static inline int sidekick_set_cache_size(ssize_t bytes) { return git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, bytes); }

/// Extensions of a repository's format that are taken, in lower case, beside libgit2's own.
static inline int sidekick_set_extensions(const char **names, size_t count) {
    return git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, names, count);
}

/// How much of packs is mapped at a time, and in windows of which size.
static inline int sidekick_set_windows(size_t window, size_t all) {
    int code = git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, window);
    return code < 0 ? code : git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, all);
}

#endif
