import Git

/// One fetch in protocol v2: from what the store has to what is wanted, in one question.
struct PackFetch {
    let request: FetchRequest
    let options: UpstreamOptions
    let executor: GitExecutor
    let server: any SmartServer
    let progress: @Sendable (TransferProgress) throws -> Void

    private var commit: ObjectID { request.advertisement.commit }
    private var address: String { options.url.address }

    /// What is in the store.
    private struct Standing: Sendable {
        var hasCommit = false
        var haves: [ObjectID] = []
        var shallow: [ObjectID] = []
    }

    func run() async throws {
        try server.requireSHA1(options)
        let standing = try await standing()
        let previous = request.mustFollow.flatMap { $0 == commit ? nil : $0 }
        let canFilter = server.canFilter
        if let previous, canFilter { try await proveFollows(previous) }
        // Without a filter the history comes with its trees, or not at all.
        let needsHistory = previous != nil && !canFilter
        if !standing.hasCommit || needsHistory {
            try await download(standing, depth: needsHistory ? 0 : request.depth)
        }
        try await settle(follows: needsHistory ? previous : nil)
    }

    /// Proves what came and remembers it.
    private func settle(follows previous: ObjectID?) async throws {
        let (store, commit, ref, missing) = (request.store, commit, request.advertisement.ref, missing)
        try await executor.run {
            let repository = try store.open()
            guard try repository.contains(commit) else { throw missing }
            guard try repository.peel(commit) == commit else { throw UpstreamError.notACommit(ref: ref) }
            if let previous, try !repository.hasParent(previous, from: commit) {
                throw UpstreamError.rewritten(from: previous, to: commit)
            }
            try repository.setReference("refs/sidekick/fetched", to: commit)
        }
    }

    private func standing() async throws -> Standing {
        let (store, commit) = (request.store, commit)
        return try await executor.run {
            let repository = try store.open(for: .fetched)
            try repository.verify("refs/sidekick/fetched")
            let haves = try repository.references().map(\.id).filter { $0 != commit }
            return Standing(
                hasCommit: try repository.contains(commit), haves: Array(Set(haves)).sorted { $0.prefix < $1.prefix },
                shallow: try repository.shallowCommits())
        }
    }

    private func download(_ standing: Standing, depth: Int) async throws {
        var fetch = FetchPack(want: commit)
        (fetch.haves, fetch.shallow, fetch.depth) = (standing.haves, standing.shallow, depth)
        do {
            try await receive(fetch, into: request.store)
        } catch let error as GitError where !error.isLocalDisk {
            // What came builds on what is here: an empty store is needed to tell whose fault it is. The next pass has one.
            throw standing.haves.isEmpty
                ? UpstreamError.serverFailed(address: address, reason: "its pack is damaged: \(error.message)")
                : error.ofStore
        }
    }

    /// Asks for the commits between the two and nothing else of them, and looks for the old one among their parents. The
    /// server leaves out what leads to it, so it can be nowhere else.
    private func proveFollows(_ previous: ObjectID) async throws {
        var fetch = FetchPack(want: commit)
        (fetch.haves, fetch.onlyCommits) = ([previous], true)
        let (history, commit) = (request.store.history, commit)
        do {
            try await executor.run { _ = try history.begin() }
            do {
                try await receive(fetch, into: history)
            } catch let error as GitError where !error.isLocalDisk {
                throw UpstreamError.serverFailed(address: address, reason: "its history is damaged: \(error.message)")
            }
            let follows = try await executor.run { try history.open().hasParent(previous, from: commit) }
            guard follows else { throw UpstreamError.rewritten(from: previous, to: commit) }
            try await executor.run { try history.end() }
        } catch {
            try? history.end()
            throw error
        }
    }

    private func receive(_ fetch: FetchPack, into store: Store) async throws {
        let receiver = PackReceiver(into: store, on: executor)
        do {
            var (shallow, whole): ([ObjectID], [ObjectID]) = ([], [])
            var hasBegun = false
            try await server.fetch(fetch, agent: options.agent) { event in
                switch event {
                case .progress: break
                case .shallow(let id): shallow.append(id)
                case .unshallow(let id): whole.append(id)
                case .pack(let bytes):
                    if !hasBegun { try await receiver.add(shallow: shallow) }
                    hasBegun = true
                    try progress(try await receiver.append(bytes))
                case .end: try await receiver.finish(unshallow: whole)
                }
            }
        } catch {
            await receiver.abandon()
            throw (error as? ProtocolError).map(refusal) ?? error
        }
    }

    private func refusal(_ error: ProtocolError) -> any Error {
        guard case .refused(let reason) = error, reason.contains("not our ref") else { return error }
        return missing
    }

    /// A commit that is not there any more, or was never to be had.
    private var missing: UpstreamError {
        guard case .commit(let id) = options.ref else { return .moved(commit: commit) }
        return .refMissing(ref: id.description, address: address)
    }
}
