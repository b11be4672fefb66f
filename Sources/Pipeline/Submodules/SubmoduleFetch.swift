import Content
import Git
import Logging
import Platform
import Publishing
import Synchronization
import Upstream

/// Brings the submodules of a commit, and theirs, and makes one tree of all: each is exactly the commit that its gitlink names.
struct SubmoduleFetch: Sendable {
    let settings: Settings
    /// How the followed repository is reached.
    let options: UpstreamOptions
    let publisher: Publisher
    let executor: GitExecutor
    let traffic: Traffic
    let progress: ProgressReporter
    let logger: Logger
    private let told = Told()

    init(
        settings: Settings, options: UpstreamOptions, publisher: Publisher, executor: GitExecutor, traffic: Traffic,
        progress: ProgressReporter, logger: Logger
    ) {
        (self.settings, self.options, self.publisher, self.executor) = (settings, options, publisher, executor)
        (self.traffic, self.progress, self.logger) = (traffic, progress, logger)
    }

    /// Submodules in submodules.
    static let maxDepth = 8
    /// Of one commit.
    static let maxModules = 100

    private var store: Store { publisher.destination.store }
    private var recipe: Recipe { publisher.recipe }

    /// A repository that was brought, and where it stands.
    private struct Level {
        var path: TreePath
        let tree: ObjectID
        let url: RemoteURL
        let depth: Int
        /// The levels of its own submodules.
        var modules: [Int] = []
    }

    /// Whatever is missing of a commit is here when this returns, and remembered as one tree.
    ///
    /// - Throws: `SubmoduleFailure`, `SyncError`, `CancellationError`.
    func bring(for target: Target) async throws {
        guard recipe.followsSubmodules else { return }
        let store = store
        do {
            defer { progress.finish() }
            try await complete(target.commit)
        } catch let error as CancellationError {
            throw error
        } catch let error as GitError {
            let blamed = try await executor.run { try target.blame(error, in: store) }
            throw SyncError(blamed, at: .fetch)
        } catch {
            throw SyncError(error, at: .fetch)
        }
    }

    private func complete(_ commit: ObjectID) async throws {
        let (store, recipe) = (store, recipe)
        let tree = try await executor.run { () throws -> ObjectID? in
            let repository = try store.open()
            guard repository.composite(of: commit, recipe: recipe.digest) == nil else { return nil }
            let tree = try repository.commit(commit).tree
            return try repository.hasModuleList(in: tree) ? tree : nil
        }
        guard let tree else { return }
        var parts = Composite.Parts()
        var levels = [Level(path: .root, tree: tree, url: options.url.asParent, depth: 0)]
        var next = 0
        while next < levels.count {
            let level = levels[next]
            for link in try await executor.run({
                try SubmoduleLink.all(of: level.tree, at: level.path, in: store, recipe)
            }) {
                switch link.decision(at: level.url, recipe, following: options.url) {
                case .leave(let reason):
                    // Enough to be told of: a hostile list has as many as there is room for.
                    guard parts.leftOut.count < Self.maxModules else { continue }
                    parts.leftOut.append(.init(path: link.path, reason: reason))
                case .follow(let url):
                    try check(link, level, count: levels.count)
                    let tree = try await fetch(link, from: url)
                    parts.modules.append(
                        .init(
                            path: link.path, repository: url.address, commit: link.commit,
                            user: url.transport == .ssh ? url.user : nil))
                    levels[next].modules.append(levels.count)
                    levels.append(Level(path: link.path, tree: tree, url: url, depth: level.depth + 1))
                }
            }
            next += 1
        }
        // Also where there is nothing to put in: that it was looked at is remembered.
        tell(parts)
        try await join(levels, of: commit, parts)
    }

    private func check(_ link: SubmoduleLink, _ level: Level, count: Int) throws {
        let found =
            level.depth >= Self.maxDepth
            ? "submodules nested more than \(Self.maxDepth) deep"
            : count > Self.maxModules ? "more than \(Self.maxModules) submodules" : nil
        guard let found else { return }
        throw SyncError(
            stage: .fetch, cause: "the commit has \(found), at \(link.path)",
            remedy: "publish less of it, or set SIDEKICK_SUBMODULES=off", recovery: .fixRemote, exitCode: .dataError)
    }

    /// - Returns: the commit's tree, which is whole.
    private func fetch(_ link: SubmoduleLink, from url: RemoteURL) async throws -> ObjectID {
        let (store, commit) = (store, link.commit)
        let origin = StoreOrigin(module: url.address)
        do {
            let isHere = try await executor.run { try store.open().hasModule(commit, of: origin) }
            if !isHere { try await download(commit, from: url, origin) }
            return try await executor.run { try store.open().commit(commit).tree }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw SubmoduleFailure(path: link.path, address: url.address, reason: error)
        }
    }

    private func download(_ commit: ObjectID, from url: RemoteURL, _ origin: StoreOrigin) async throws {
        let (store, limits, executor) = (store, settings.publishing.limits, executor)
        let upstream = try options.module(at: url, commit: commit).makeUpstream(on: executor, counting: traffic)
        try await LoopLane.leave {
            try await upstream.connected { remote in
                let request = FetchRequest(
                    advertisement: try await remote.discover(), store: store, depth: 1, mustFollow: nil, origin: origin,
                    maxBytes: settings.maxPack)
                try await remote.fetch(request, progress: progress.reporting(upTo: settings.maxPack))
            }
        }
        progress.finish()
        try await executor.run {
            let repository = try store.open()
            let known = try repository.knownCommits(of: origin).first?.tree
            let tree = try repository.commit(commit).tree
            do {
                try repository.proveConnected(tree: tree, given: known, depth: limits.depth, folders: limits.files)
            } catch let error as GitError where error.isDamage {
                throw IncompleteCommit(commit: commit, reason: error.message)
            }
            try repository.noteModule(commit, of: origin)
        }
    }

    /// The deepest first: each tree has its own submodules in it before it is put into another one.
    private func join(_ levels: [Level], of commit: ObjectID, _ parts: Composite.Parts) async throws {
        let (store, recipe) = (store, recipe)
        try await executor.run {
            let repository = try store.open()
            var composer = TreeComposer()
            var trees = levels.map(\.tree)
            for index in levels.indices.reversed() {
                let level = levels[index]
                let start = level.path == .root ? 0 : level.path.bytes.count + 1
                let grafts = level.modules.map { module in
                    Graft(path: TreePath(bytes: Array(levels[module].path.bytes[start...])), tree: trees[module])
                }
                trees[index] = try composer.graft(grafts, into: level.tree, of: repository)
            }
            _ = try store.makeComposite(
                of: commit, recipe: recipe.digest, tree: trees[0], new: composer, parts: parts)
        }
    }

    /// Each once: what is as it was has been told.
    private func tell(_ parts: Composite.Parts) {
        let before = told.exchange(parts)
        for module in parts.modules where !before.modules.contains(module) {
            logger.info(
                "submodule",
                metadata: [
                    "path": "\(module.path)", "repository": "\(module.repository)", "commit": "\(module.commit)",
                ])
        }
        for left in parts.leftOut where !before.leftOut.contains(left) {
            logger.warning("submodule left out", metadata: ["path": "\(left.path)", "why": "\(left.reason)"])
        }
    }
}

/// What was told last.
private final class Told: Sendable {
    private let parts = Mutex(Composite.Parts())

    func exchange(_ new: Composite.Parts) -> Composite.Parts {
        parts.withLock { parts in
            defer { parts = new }
            return parts
        }
    }
}
