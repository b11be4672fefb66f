import Git

/// A server that is spoken to in git's old protocol (v0 and v1), by libgit2's transports over our own sockets: it
/// advertises all of its references at every question, and gives all of a reference's history.
struct LegacyRemote: Remote {
    let options: UpstreamOptions
    let executor: GitExecutor
    let traffic: Traffic

    func discover() async throws -> Advertisement {
        let address = options.url.address
        let ref = options.ref
        if let fixed = ref.fixed { return fixed }
        return try await withServer { endpoint, dialer in
            let references = try endpoint.references(over: dialer)
            guard !references.isEmpty else { throw UpstreamError.noCommits(address: address) }
            let (reference, warnings) = try ref.resolve(
                address: address, names: { references.map(\.name) }, { name in references.first { $0.name == name } })
            return Advertisement(
                ref: reference.symbolic ?? reference.name, commit: reference.peeled ?? reference.target,
                warnings: warnings)
        }
    }

    func fetch(_ request: FetchRequest, progress: @escaping @Sendable (TransferProgress) throws -> Void) async throws {
        let advertisement = request.advertisement
        let (ref, url) = (options.ref, options.url)
        try await withServer { endpoint, dialer in
            let store = try request.store.open(for: .negotiated)
            try store.verify("refs/sidekick/fetched")
            func download(_ source: String) throws {
                guard try !store.contains(advertisement.commit) else { return }
                // Without a name on this side libgit2 takes the specification for one to fetch into nothing at all.
                do {
                    try store.download(
                        "+\(source):refs/sidekick/incoming", from: endpoint, over: dialer, progress: progress)
                } catch let error as GitError where error.isRemote && error.isAboutObjects {
                    // What came builds on what is here, and is negotiated by it: an empty store is needed to tell whose
                    // fault it is. The next pass has one.
                    if try store.references().isEmpty { throw error }
                    throw error.ofStore
                }
            }
            if case .commit(let id) = ref {
                for reference in try endpoint.referencesLeading(to: id, over: dialer) where try !store.contains(id) {
                    try download(reference.name)
                    // What came is kept: the next question need not bring it again.
                    if try store.contains(reference.target) {
                        try store.setReference("refs/sidekick/incoming", to: reference.target)
                    }
                }
            } else {
                try download(advertisement.ref)
            }
            guard try store.contains(advertisement.commit) else {
                if case .commit(let id) = ref {
                    throw UpstreamError.refMissing(ref: id.description, address: url.address)
                }
                throw UpstreamError.moved(commit: advertisement.commit)
            }
            guard try store.peel(advertisement.commit) == advertisement.commit else {
                throw UpstreamError.notACommit(ref: advertisement.ref)
            }
            if let previous = request.mustFollow,
                try !(store.contains(previous) && store.isAncestor(previous, of: advertisement.commit))
            {
                throw UpstreamError.rewritten(from: previous, to: advertisement.commit)
            }
            try store.setReference("refs/sidekick/fetched", to: advertisement.commit)
        }
    }

    /// Runs blocking work against the server: cancelled at once, its failures told in this room's words.
    private func withServer<Value: Sendable>(
        _ work: @escaping @Sendable (RemoteEndpoint, any StreamDialer) throws -> Value
    ) async throws -> Value {
        let url = options.url
        let credential = try options.credentials.credential(for: url)
        let hadCredential = credential != nil
        let wake = try WakePipe()
        let dialer = SocketDialer(timeout: options.timeout, wake: wake, counting: traffic)
        let authority = url.authority
        let endpoint = RemoteEndpoint(url: url.address) { dialer.reachedOnly(authority) ? credential : nil }
        return try await withTaskCancellationHandler {
            try await executor.run {
                do {
                    return try work(endpoint, dialer)
                } catch let error as GitError where error.isRemote {
                    throw UpstreamError(error, address: url.address, hadCredential: hadCredential)
                }
            }
        } onCancel: {
            wake.signal()
        }
    }
}

extension RemoteEndpoint {
    /// The references to ask for when a commit is wanted, one after the other. Most servers of the old protocol do not hand
    /// out a commit by its id, but it comes along with a reference that it is reachable from: the one that names it, else
    /// the remote's HEAD, else another branch.
    fileprivate func referencesLeading(to commit: ObjectID, over dialer: any StreamDialer) throws -> [Reference] {
        let references = try references(over: dialer)
        if let naming = references.first(where: { ($0.peeled ?? $0.target) == commit && $0.name != "HEAD" }) {
            return [naming]
        }
        return references.filter { $0.name == "HEAD" } + references.filter { $0.name.hasPrefix("refs/heads/") }
    }
}
