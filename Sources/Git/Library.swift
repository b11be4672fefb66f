import CLibgit2

/// libgit2's process-wide state, set up once and before the first handle.
enum Library {
    /// Touch this before the first call. It never fails twice: a failure to start ends every open with the same error.
    static let started: Result<Void, GitError> = Result { () throws(GitError) in
        try check("git_libgit2_init") { git_libgit2_init() }
        try check("GIT_OPT_SET_OWNER_VALIDATION") { sidekick_disable_owner_validation() }
        try check("GIT_OPT_SET_USER_AGENT") { sidekick_set_user_agent("sidekick") }
        try check("GIT_OPT_ENABLE_FSYNC_GITDIR") { sidekick_enable_fsync() }
        // A pass reads a tree once or twice. What libgit2 keeps of them is 17 MB for a site of 20,000 folders.
        try check("GIT_OPT_SET_CACHE_OBJECT_LIMIT") { sidekick_set_cache_object_limit(GIT_OBJECT_TREE, 0) }
        let levels = [
            GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA,
        ]
        for level in levels {
            try check("GIT_OPT_SET_SEARCH_PATH") { sidekick_set_search_path(level.rawValue, "") }
        }
        try TransportStreams.register()
    }
}
