import Git

/// One fetch: from what the store has to what is wanted, in one question.
struct PackFetch {
    let request: FetchRequest
    let options: UpstreamOptions
    let executor: GitExecutor
    let server: any SmartServer
    let traffic: Traffic
    let progress: @Sendable (TransferProgress) throws -> Void
    /// What the server may be asked for besides what is needed.
    var terms: FetchTerms

    private var commit: ObjectID { request.advertisement.commit }
    private var address: String { options.url.address }

    /// What is in the store.
    private struct Snapshot: Sendable {
        var hasCommit = false
        var haves: [ObjectID] = []
        var shallow: [ObjectID] = []
        /// How many commits of history are here of what the server is told of, 0 where that is none.
        var depth = 0
    }

    func run() async throws {
        try server.requireSHA1(options)
        let snapshot = try await snapshot()
        let previous = request.mustFollow.flatMap { $0 == commit ? nil : $0 }
        let canFilter = server.canFilter
        if let previous, canFilter { try await proveFollows(previous) }
        // Without a filter the history comes with its trees, or not at all.
        let needsHistory = previous != nil && !canFilter
        if !snapshot.hasCommit || needsHistory, try await !downloadFolder(needsHistory: needsHistory) {
            try await download(snapshot, depth: needsHistory ? 0 : depth(after: snapshot))
        }
        if request.needsTag, let tag = request.advertisement.tag { try await bring(tag) }
        try await check(follows: needsHistory ? previous : nil)
    }

    /// Brings an annotated tag, and those that it leads to its commit by: of anything else the commit is all.
    private func bring(_ tag: ObjectID) async throws {
        let (store, commit) = (request.store, commit)
        let isHere = try await executor.run { try store.open().contains(tag) }
        guard !isHere else { return }
        try await blaming("its pack is damaged") {
            try await receive(FetchPack(want: tag, haves: [commit]), into: store)
        }
    }

    /// So many commits that what is here is among them, with one more than it has: a server that finds none of it within the depth reads
    /// the whole tree of what it leaves out, and one that is asked for more sends what nobody needs.
    private func depth(after snapshot: Snapshot) -> Int {
        guard terms.contains(.history), request.depth > 0, snapshot.depth > 0 else { return request.depth }
        return max(request.depth, min(snapshot.depth + 1, Self.maxDepth))
    }

    /// By measurement: a push of so many commits costs a server less than one that is cut, and no more for ten times the site.
    private static let maxDepth = 8

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
        let (store, commit, origin, folder) = (request.store, commit, request.origin, request.folder)
        return try await executor.run {
            let repository = try store.openToFill()
            var known = try repository.knownCommits(of: origin)
            let outlined = try repository.outlinedCommits()
            known.removeAll { outlined.contains($0.id) }
            let ids = Set(known.map(\.id))
            // What is not whole here may be another repository's.
            let others =
                try origin == .followed
                ? repository.moduleCommits().subtracting(ids).union(outlined) : []
            let shallow = try store.shallowCommits().filter { !others.contains($0) }
            let newest = origin == .followed ? repository.fetchedCommit().map { [$0] } ?? [] : Array(ids)
            let ends = Set(shallow)
            return Snapshot(
                hasCommit: try ids.contains(commit) || repository.hasOutline(of: commit, reaching: folder)
                    || repository.holdsAll(of: commit),
                haves: ids.subtracting([commit]).sorted { $0.prefix < $1.prefix },
                shallow: origin == .followed ? shallow : shallow.filter { ids.contains($0) },
                depth: try newest.filter { ids.contains($0) }
                    .map { try repository.depth(of: $0, endingAt: ends, atMost: Self.maxDepth) }.max() ?? 0)
        }
    }

    private func download(_ snapshot: Snapshot, depth: Int) async throws {
        var fetch = FetchPack(want: commit)
        (fetch.haves, fetch.shallow, fetch.depth) = (snapshot.haves, snapshot.shallow, depth)
        do {
            try await blaming("its pack is damaged") { try await receive(fetch, into: request.store) }
        } catch  where depth > request.depth && request.depth > 0 && Self.isOfMore(error) {
            throw TermsRefused(terms: .history)
        }
        let (store, commit) = (request.store, commit)
        try await executor.run { try store.open().forgetOutline(of: commit) }
    }

    /// Brings one folder of the commit, where the server can leave the rest out: the commit, a tree for each name on the way, and of the
    /// folder what differs from what is here.
    ///
    /// - Returns: false where all of the commit has to come.
    private func downloadFolder(needsHistory: Bool) async throws -> Bool {
        let (store, commit, folder) = (request.store, commit, request.folder)
        guard terms.contains(.folders), folder != .root, !needsHistory, request.depth == 1, server.canFilter else {
            return false
        }
        let share = try await executor.run { store.share(of: folder) }
        if share == nil, try await downloadMost() { return true }
        if share == .most { return false }
        var asked: [FolderNeed] = []
        while true {
            let need = try await executor.run { try store.open().need(of: folder, in: commit) }
            guard need != .nothing else { break }
            // Once more, and without what is here, when something of it was missing.
            let isAgain = asked.last == need
            guard asked.count(where: { $0 == need }) < 2, let fetch = FetchPack(need, again: isAgain) else {
                return false
            }
            asked.append(need)
            do {
                try await blaming("its pack is damaged") { try await receive(fetch, into: store) }
            } catch  where Self.isRefusal(error) {
                throw TermsRefused(terms: .folders)
            }
        }
        try await executor.run { try store.noteOutline(folder, of: commit) }
        return true
    }

    /// Brings all of a commit where one folder of it is here that is large, once: with that the rest is no more than what is here, the
    /// folder is most of the repository.
    ///
    /// - Returns: whether the commit is here.
    private func downloadMost() async throws -> Bool {
        let (store, commit, folder) = (request.store, commit, request.folder)
        let (size, known) = try await executor.run { (store.size(), try store.open().knownTrees(at: folder)) }
        guard terms.contains(.most), !known.isEmpty, size.objects > Self.fewObjects else { return false }
        var fetch = FetchPack(want: commit)
        (fetch.haves, fetch.depth) = (known, 1)
        do {
            try await receive(fetch, into: store, upTo: size)
        } catch  where Self.isOfMore(error) {
            try await executor.run { store.note(.part, of: folder) }
            throw TermsRefused(terms: .most)
        }
        try await executor.run {
            store.note(.most, of: folder)
            try store.open().forgetOutline(of: commit)
        }
        return true
    }

    /// By measurement: to compare two folders of so many costs a server as much as an update of all of it.
    private static let fewObjects = 4_000

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

    /// Whether a server may have said it of what it does not give, however it says so.
    private static func isRefusal(_ error: any Error) -> Bool {
        switch error {
        case ProtocolError.refused, ProtocolError.ended: true
        case UpstreamError.undelivered, UpstreamError.refMissing, UpstreamError.serverFailed, UpstreamError.closed: true
        default: false
        }
    }

    /// Whether it may be of more than is needed: larger than it may be or than there is space for, or malformed.
    private static func isOfMore(_ error: any Error) -> Bool {
        switch error {
        case let error as GitError: !error.isLocalDisk || error.isOutOfSpace
        case is PackTooLarge, ProtocolError.refused, UpstreamError.undelivered, UpstreamError.serverFailed: true
        default: false
        }
    }

    /// - Parameter bound: of what was not needed, what is taken at most.
    private func receive(_ fetch: FetchPack, into store: Store, upTo bound: StoreSize? = nil) async throws {
        let receiver = PackReceiver(into: store, on: executor)
        do {
            var (shallow, whole): ([ObjectID], [ObjectID]) = ([], [])
            try await server.fetch(fetch, agent: options.agent) { event in
                switch event {
                case .progress(let bytes): traffic.chat(bytes.count)
                case .shallow(let id): shallow.append(id)
                case .unshallow(let id): whole.append(id)
                case .pack(let bytes):
                    let received = try await receiver.append(bytes)
                    // Of more than was asked for it is no news.
                    let isMore = fetch.depth > request.depth || bound != nil
                    if isMore, received.receivedBytes > request.maxBytes { throw PackTooLarge() }
                    if let bound, received.totalObjects > bound.objects || received.receivedBytes > bound.bytes {
                        throw PackTooLarge()
                    }
                    try progress(received)
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

extension FetchPack {
    /// What brings a part of a commit; `nil` for nothing.
    ///
    /// - Parameter again: whether it was asked for before, and not all of it came.
    fileprivate init?(_ need: FolderNeed, again: Bool) {
        switch need {
        case .commit(let id):
            self.init(want: id)
            (depth, isBare) = (1, true)
        case .tree(let id):
            self.init(want: id)
            isBare = true
        case .files(let ids):
            self.init(want: ids[0])
            more = Array(ids.dropFirst())
        case .folder(let id, let known):
            self.init(want: id)
            haves = again ? [] : known
        case .nothing: return nil
        }
    }
}

/// What a server may be asked for besides what is needed.
struct FetchTerms: OptionSet, Sendable {
    let rawValue: Int
    /// Parts of a commit.
    static let folders = FetchTerms(rawValue: 1)
    /// Commits before the one that is wanted.
    static let history = FetchTerms(rawValue: 2)
    /// All of a repository of which a folder is wanted.
    static let most = FetchTerms(rawValue: 4)
}

/// What was asked for besides what is needed was not to be had. The connection may be over.
struct TermsRefused: Error {
    let terms: FetchTerms
}

/// A pack has more bytes than it may.
private struct PackTooLarge: Error {}
