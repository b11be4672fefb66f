public import Git

extension UpstreamOptions {
    /// How a submodule's repository is reached.
    public func module(at url: RemoteURL, commit: ObjectID) -> UpstreamOptions {
        var options = reaching(url)
        options.ref = .commit(commit)
        // A server of Git LFS that was named is the followed repository's; a submodule's own file may name it, too.
        (options.lfs, options.trustedLFS) = (nil, lfs)
        return options
    }
}
