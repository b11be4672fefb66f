import Content
import Git
import Logging
import Platform
import Publishing
import Synchronization
import Upstream

/// Brings the objects of Git LFS that a commit names, each from the server of the repository that it stands in.
struct LFSFetch: Sendable {
    /// How the followed repository is reached.
    let options: UpstreamOptions
    let publisher: Publisher
    let executor: GitExecutor
    let traffic: Traffic
    let progress: ProgressReporter
    let journal: Journal
    let logger: Logger
    private let embargo = Embargo()

    init(
        options: UpstreamOptions, publisher: Publisher, executor: GitExecutor, traffic: Traffic,
        progress: ProgressReporter, journal: Journal, logger: Logger
    ) {
        (self.options, self.publisher, self.executor, self.traffic) = (options, publisher, executor, traffic)
        (self.progress, self.journal, self.logger) = (progress, journal, logger)
    }

    private var store: Store { publisher.destination.store }

    /// What is wanted of one repository.
    private struct Share: Sendable {
        var url: RemoteURL?
        let commit: ObjectID
        let config: LFSConfig?
        var objects: [LFSObject] = []
        /// The first path of each.
        var paths: [LFSObject: TreePath] = [:]
    }

    /// - Throws: `LFSFailure`, `SyncError`, `CancellationError`.
    func bring(_ missing: MissingObjects, for target: Target) async throws {
        defer { progress.finish() }
        publisher.noteDelivery()
        for share in try await shares(of: missing, for: target.commit) { try await bring(share, for: target) }
        let lfs = publisher.destination.lfs
        try await executor.run { lfs.removeIncoming() }
    }

    private func bring(_ share: Share, for target: Target) async throws {
        let isFollowed = share.url == nil
        let there = share.url.map { options.module(at: $0, commit: share.commit) } ?? options
        let request = LFSRequest(
            objects: share.objects, store: publisher.destination.lfs,
            ref: isFollowed ? target.ref.flatMap { $0.text.hasPrefix("refs/") ? $0 : nil } : nil, config: share.config)
        let bytes = share.objects.reduce(into: Int64(0)) { $0.addClamped($1.size) }
        logger.info("fetching LFS objects", metadata: ["objects": "\(share.objects.count)", "bytes": "\(bytes)"])
        do {
            try embargo.check(there.url)
            let remote = LFSRemote(of: there, counting: traffic)
            let report = progress.reporting(upTo: .max)
            try await LoopLane.leave {
                try await remote.fetch(request, progress: report)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            embargo.note(error, of: there.url)
            let object = (error as? LFSError)?.object ?? share.objects[0]
            throw LFSFailure(path: share.paths[object] ?? .root, reason: error)
        }
        journal.metrics.add(Double(share.objects.count), to: .lfsObjects)
        journal.metrics.add(Double(bytes), to: .lfsBytes)
    }

    /// An object that stands in more than one repository is asked of the first.
    private func shares(of missing: MissingObjects, for commit: ObjectID) async throws -> [Share] {
        let (store, recipe) = (store, publisher.recipe)
        return try await executor.run {
            let repository = try store.open()
            let modules = repository.composite(of: commit, recipe: recipe.digest)?.parts.modules ?? []
            var shares = [Share(url: nil, commit: commit, config: try Self.config(of: commit, in: repository))]
            var numbers: [String: Int] = [:]
            for module in modules {
                guard let commit = ObjectID(hex: module.commit), let url = try? RemoteURL(module.repository) else {
                    continue
                }
                let there = module.user.map { url.with(user: $0) } ?? url
                numbers[module.path] = shares.count
                shares.append(Share(url: there, commit: commit, config: try Self.config(of: commit, in: repository)))
            }
            var seen: Set<LFSObject> = []
            var sizes: [LFSObjectID: Int64] = [:]
            for place in missing.places where seen.insert(place.object).inserted {
                if sizes.updateValue(place.object.size, forKey: place.object.id) != nil {
                    throw SyncError(
                        stage: .fetch, cause: "\(place.path) of Git LFS: two files name its object with two sizes",
                        remedy: "push pointers that git-lfs made", recovery: .fixRemote, exitCode: .dataError)
                }
                let path = place.path.components.reduce(recipe.subdirectory) { $0.appending($1) }
                var (folder, number) = (path, 0)
                while number == 0, folder != .root {
                    folder = folder.parent
                    number = numbers[folder.description] ?? 0
                }
                shares[number].objects.append(place.object)
                shares[number].paths[place.object] = path
            }
            return shares.filter { !$0.objects.isEmpty }
        }
    }

    static func config(of commit: ObjectID, in repository: borrowing Repository) throws -> LFSConfig? {
        let tree = try repository.commit(commit).tree
        do {
            return try repository.file(LFSConfig.name, in: tree, atMost: LFSConfig.maxSize).map { try LFSConfig($0) }
        } catch let error as MalformedConfig {
            throw SyncError(
                stage: .fetch, cause: "\(LFSConfig.name) cannot be read: \(error)",
                remedy: "mend that file and push it",
                recovery: .fixRemote, exitCode: .dataError)
        }
    }
}

/// Leaves the server of a repository alone for as long as it asked for, whoever wants something of it.
private final class Embargo: Sendable {
    /// By the addresses of repositories.
    private let state = Mutex<[String: (error: UpstreamError, end: ContinuousClock.Instant)]>([:])

    func note(_ error: any Error, of url: RemoteURL) {
        guard let error = error as? UpstreamError, let time = error.retryAfter else { return }
        state.withLock { $0[url.address] = (error, .now + time) }
    }

    func check(_ url: RemoteURL) throws {
        guard let (error, end) = state.withLock({ $0[url.address] }),
            case .busy(let address, let status, _, let words) = error
        else {
            return
        }
        let rest = end - ContinuousClock.now
        guard rest > .zero else { return state.withLock { $0[url.address] = nil } }
        throw UpstreamError.busy(address: address, status: status, retryAfter: rest, says: words)
    }
}
