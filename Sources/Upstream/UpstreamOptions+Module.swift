public import Git

extension UpstreamOptions {
    /// How a submodule's repository is reached. What is the followed repository's own (a login, an App, a key, a certificate) goes to
    /// no other origin; what is listed by host, or by the beginning of an address, goes where it is listed for.
    public func module(at url: RemoteURL, commit: ObjectID) -> UpstreamOptions {
        var options = self
        (options.url, options.ref) = (url, .commit(commit))
        options.ssh.prefersListedKeys = true
        guard self.url.isHome(of: url) else {
            options.app = nil
            (options.tls.certificate, options.tls.key) = (nil, nil)
            options.ssh.key = nil
            options.credentials.forgetOwn()
            return options
        }
        // The login may stand in the address of the followed repository alone.
        if options.credentials.password == nil, let password = self.url.password, url.password == nil {
            options.credentials.password = .value(password)
            options.credentials.user = options.credentials.user ?? self.url.user
        }
        return options
    }
}
