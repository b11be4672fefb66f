import Content
import Git
import Logging
import Platform
import Publishing
import Trust
import Upstream

/// What a pass would change at DESTINATION.
public struct PassPlan: Sendable, Encodable {
    /// A path, and the bytes that it will have, or had.
    public struct Item: Sendable, Encodable {
        /// Below DESTINATION, as it is printed.
        public let path: String
        /// 0 for what is no file.
        public let bytes: Int64

        init(_ item: ExpectedChanges.Item) { (path, bytes) = (item.path.description, item.bytes) }
    }

    /// What of the commit is not shown as the commit has it.
    public struct Omission: Sendable, Encodable {
        /// Below DESTINATION, as it is printed.
        public let path: String
        /// Why it is not.
        public let reason: String
    }

    /// The full name of the reference that is followed.
    public let ref: String
    /// The commit that it names, all digits.
    public let commit: String
    /// The commit that is shown now.
    public let published: String?
    /// The commit that an operator holds: the pass changes nothing until that ends.
    public let held: String?
    /// Who has signed it, where that is asked for.
    public let signer: String?
    /// Paths that nothing is shown at now.
    public let added: [Item]
    /// Paths that something else is shown at now.
    public let changed: [Item]
    /// Paths that nothing will be shown at.
    public let removed: [Item]
    /// What is left out, and why.
    public let leftOut: [Omission]
    /// The sum of what is added and changed.
    public let bytes: Int64

    fileprivate init(_ changes: ExpectedChanges, of target: Target, held: Hold?) {
        ref = target.ref?.text ?? ""
        commit = target.commit.description
        published = changes.published?.description
        self.held = held?.commit
        signer = target.signer?.description
        (added, changed, removed) = (
            changes.added.map(Item.init), changes.changed.map(Item.init), changes.removed.map(Item.init)
        )
        leftOut = changes.leftOut.map { Omission(path: $0.path.description, reason: $0.reason) }
        bytes = (added + changed).reduce(into: 0) { $0.addClamped($1.bytes) }
    }
}

extension Check {
    /// Does all of a pass but for the publishing: what the remote has is fetched anew, into a folder of its own.
    ///
    /// - Parameter folder: one that nobody else uses, for whoever asks to remove.
    /// - Throws: `SyncError` with the stage at which the pass would fail.
    public func plan(in folder: String) async throws -> PassPlan {
        let (settings, executor) = (settings, executor)
        let limits = settings.publishing.limits
        ObjectLimits(blob: limits.blob, files: limits.files).enforce()
        let (look, publisher) = try await at(.configure) {
            let look = try Publisher.look(
                at: settings.destination, state: settings.state, options: settings.publishing)
            return (look, try Publisher.rehearsal(of: look, in: folder, options: settings.publishing))
        }
        let published = try await at(.configure) { try look.published() }
        var target = try await fetch(into: publisher, following: published)
        let id = target.commit
        if let trust = settings.trust, try await !at(.trust, { try look.shows(id, as: settings.publishing) }) {
            target.signer = try await TrustCheck(
                settings: trust, look: look, store: publisher.destination.store, executor: executor
            ).signer(of: target)
        }
        try await SubmoduleFetch(
            settings: settings, options: upstream, publisher: publisher, executor: executor, traffic: Traffic(),
            progress: Self.silent, logger: Self.nowhere
        ).bring(for: target)
        let changes = try await at(.materialize) {
            let contents = publisher.destination.contents(of: try publisher.destination.store.open())
            let commit = try contents.repository.commit(id)
                .with(tree: contents.repository.root(of: id, as: publisher.recipe))
            return try publisher.expectedChanges(by: commit, from: contents, at: look)
        }
        // A repository on this machine may have them in itself.
        if let path = changes.firstObject, upstream.url.transport != .local {
            try await probeObjects(at: path, of: id, in: publisher)
        }
        let held = try await at(.discover) { try look.destination.flatMap { try HoldFile($0).read() } }
        return PassPlan(changes, of: target, held: held)
    }

    private static let nowhere = Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }
    private static var silent: ProgressReporter { ProgressReporter(logger: nowhere, terminal: false) }

    private func at<Value: Sendable>(
        _ stage: Stage, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        do { return try await executor.run(work) } catch { throw SyncError(error, at: stage) }
    }

    /// Objects of Git LFS are not brought; that their server lets us in is found out.
    private func probeObjects(at path: TreePath, of commit: ObjectID, in publisher: Publisher) async throws {
        do {
            let config = try await executor.run {
                try LFSFetch.config(of: commit, in: publisher.destination.store.open())
            }
            _ = try await LFSRemote(of: upstream, counting: Traffic()).probe(config)
        } catch {
            throw SyncError(LFSFailure(path: path, reason: error), at: .fetch)
        }
    }

    private func fetch(into publisher: Publisher, following published: Published?) async throws -> Target {
        var stage = Stage.discover
        do {
            return try await upstream.makeUpstream(on: executor).connected { remote in
                let found = try await remote.discover()
                stage = .fetch
                let request = FetchRequest(
                    advertisement: found, store: publisher.destination.store, depth: settings.depth,
                    mustFollow: settings.fastForwardOnly ? published?.commit : nil,
                    folder: publisher.recipe.subdirectory, needsTag: settings.trust?.needsTag ?? false,
                    maxBytes: settings.maxPack)
                try await remote.fetch(request, progress: Self.silent.reporting(upTo: settings.maxPack))
                return Target(commit: found.commit, ref: found.ref, isFetched: true, tag: found.tag)
            }
        } catch {
            throw SyncError(error, at: stage)
        }
    }
}
