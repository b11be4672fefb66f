import Git

/// One fetch: from what the store has to what is wanted, in one question.
struct PackFetch {
    let request: FetchRequest
    let options: UpstreamOptions
    let executor: GitExecutor
    let server: any SmartServer
    let traffic: Traffic
    let progress: @Sendable (TransferProgress) throws -> Void

    private var commit: ObjectID { request.advertisement.commit }
    private var address: String { options.url.address }

    /// What is in the store.
    private struct Snapshot: Sendable {
        var hasCommit = false
        var haves: [ObjectID] = []
        var shallow: [ObjectID] = []
    }

    func run() async throws {
        try server.requireSHA1(options)
        let snapshot = try await snapshot()
        let previous = request.mustFollow.flatMap { $0 == commit ? nil : $0 }
        let canFilter = server.canFilter
        if let previous, canFilter { try await proveFollows(previous) }
        // Without a filter the history comes with its trees, or not at all.
        let needsHistory = previous != nil && !canFilter
        if !snapshot.hasCommit || needsHistory {
            try await download(snapshot, depth: needsHistory ? 0 : request.depth)
        }
        try await check(follows: needsHistory ? previous : nil)
    }

    /// Looks at what came. Whether it makes a tree shows when it is made.
    private func check(follows previous: ObjectID?) async throws {
        let (store, commit, ref) = (request.store, commit, request.advertisement.ref)
        try await blaming("what it sent is not whole") {
            try await executor.run {
                let repository = try store.open()
                guard try repository.peel(commit) == commit else { throw UpstreamError.notACommit(ref: ref) }
                if let previous, try !repository.hasParent(previous, from: commit) {
                    throw UpstreamError.rewritten(from: previous, to: commit)
                }
            }
        }
    }

    /// Runs work that fails on what came or on what is here, and tells whose fault it is: what came builds on what is here.
    private func blaming(_ what: String, _ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch let error as GitError where error.isDamage {
            let store = request.store
            let isSound = try await executor.run { try store.isSound() }
            throw isSound
                ? UpstreamError.serverFailed(address: address, reason: "\(what): \(error.message)") : error.ofStore
        }
    }

    private func snapshot() async throws -> Snapshot {
        let (store, commit, origin) = (request.store, commit, request.origin)
        return try await executor.run {
            let repository = try store.openToFill()
            let known = try repository.knownCommits(of: origin)
            let ids = Set(known.map(\.id))
            // What is not whole here may be another repository's.
            let others = try origin == .followed ? repository.moduleCommits().subtracting(ids) : []
            let shallow = try store.shallowCommits().filter { !others.contains($0) }
            return Snapshot(
                hasCommit: try ids.contains(commit) || repository.holdsAll(of: commit),
                haves: ids.subtracting([commit]).sorted { $0.prefix < $1.prefix },
                shallow: origin == .followed ? shallow : shallow.filter { ids.contains($0) })
        }
    }

    private func download(_ snapshot: Snapshot, depth: Int) async throws {
        var fetch = FetchPack(want: commit)
        (fetch.haves, fetch.shallow, fetch.depth) = (snapshot.haves, snapshot.shallow, depth)
        try await blaming("its pack is damaged") { try await receive(fetch, into: request.store) }
    }

    /// Asks for the commits between the two and nothing else of them, and looks for the old one among their parents. The
    /// server leaves out what leads to it, so it can be nowhere else.
    private func proveFollows(_ previous: ObjectID) async throws {
        var fetch = FetchPack(want: commit)
        (fetch.haves, fetch.onlyCommits) = ([previous], true)
        let (history, commit) = (request.store.history, commit)
        do {
            try await executor.run { _ = try history.createTemporary() }
            do {
                try await receive(fetch, into: history)
            } catch let error as GitError where error.isDamage || error.isMalformed {
                throw UpstreamError.serverFailed(address: address, reason: "its history is damaged: \(error.message)")
            }
            let follows = try await executor.run { try history.open().hasParent(previous, from: commit) }
            guard follows else { throw UpstreamError.rewritten(from: previous, to: commit) }
            try await executor.run { try history.remove() }
        } catch {
            // What a cancellation leaves is removed by the next one.
            try? await executor.run { try history.remove() }
            throw error
        }
    }

    private func receive(_ fetch: FetchPack, into store: Store) async throws {
        let receiver = PackReceiver(into: store, on: executor)
        do {
            var (shallow, whole): ([ObjectID], [ObjectID]) = ([], [])
            try await server.fetch(fetch, agent: options.agent) { event in
                switch event {
                case .progress(let bytes): traffic.chat(bytes.count)
                case .shallow(let id): shallow.append(id)
                case .unshallow(let id): whole.append(id)
                case .pack(let bytes): try progress(try await receiver.append(bytes))
                case .end:
                    guard try await receiver.finish(bringing: fetch.want, shallow: shallow, unshallow: whole) else {
                        throw missing
                    }
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
        guard case .commit(let id) = options.ref else { return .undelivered(commit: commit) }
        return .refMissing(ref: id.description, address: address)
    }
}
