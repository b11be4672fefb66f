import CGitMemory
import CLibgit2

/// libgit2's process-wide state, set up once and before the first handle.
enum Library {
    /// Touch this before the first call. It never fails twice: a failure to start ends every open with the same error.
    static let started: Result<Void, GitError> = Result { () throws(GitError) in
        try check("GIT_OPT_SET_ALLOCATOR") { sidekick_memory_install() }
        try check("git_libgit2_init") { git_libgit2_init() }
        try check("GIT_OPT_SET_OWNER_VALIDATION") { sidekick_disable_owner_validation() }
        try check("GIT_OPT_ENABLE_FSYNC_GITDIR") { sidekick_enable_fsync() }
        // A pass reads an object once or twice: what libgit2 keeps of them is kept for nothing.
        try check("GIT_OPT_SET_CACHE_MAX_SIZE") { sidekick_set_cache_size(cacheSize) }
        try check("GIT_OPT_SET_CACHE_OBJECT_LIMIT") { sidekick_set_cache_object_limit(GIT_OBJECT_TREE, 0) }
        try check("GIT_OPT_SET_MWINDOW_SIZE") { sidekick_set_windows(windowSize, mappedSize) }
        try check("GIT_OPT_SET_EXTENSIONS") { RepositoryFormat.announce() }
        ObjectLimits.current.enforce()
        let levels = [
            GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA,
        ]
        for level in levels {
            try check("GIT_OPT_SET_SEARCH_PATH") { sidekick_set_search_path(level.rawValue, "") }
        }
    }

    /// Bytes of commits that are kept.
    static let cacheSize = 1 << 20
    /// Bytes of a pack that are mapped at once, and of all packs: they count as memory of this process, though the kernel
    /// can take them back.
    static let windowSize = 16 << 20
    static let mappedSize = 64 << 20
}
