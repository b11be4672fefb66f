import Git
import Logging
import Publishing
import Upstream

/// One pass: is the remote ahead of what is published, and if so, publish it.
struct Pass: Sendable {
    let settings: Settings
    let upstream: any Upstream
    let delivery: Delivery
    let progress: ProgressReporter
    /// Ends what is done in the background: called before anything is changed.
    let makeWay: @Sendable () async -> Void

    private var publisher: Publisher { delivery.publisher }
    private var executor: GitExecutor { delivery.executor }
    private var logger: Logger { delivery.logger }

    enum Outcome: Sendable, Equatable {
        case unchanged
        case published(commit: ObjectID)
    }

    /// - Throws: `SyncError` with the stage that failed, `CancellationError`.
    func run() async throws -> Outcome {
        let hold = try hold()
        let advertisement = try await at(.discover) {
            if let hold { hold } else { try await upstream.discover() }
        }
        let commit = advertisement.commit

        let before = try await at(.publish) { try await executor.run { try publisher.published() } }
        if try await at(.publish, { try await executor.run { try publisher.shows(commit) } }) {
            logger.debug("unchanged", metadata: ["commit": "\(commit)"])
            return .unchanged
        }
        await makeWay()
        for warning in advertisement.warnings { logger.warning("ambiguous", metadata: ["ref": "\(warning)"]) }

        if hold == nil { try await fetch(advertisement, after: before) } else { try await proveHeld(commit) }
        try await delivery.deliver(commit, ref: advertisement.ref, replacing: before)
        return .published(commit: commit)
    }

    private func fetch(_ advertisement: Advertisement, after before: Published?) async throws {
        let request = FetchRequest(
            advertisement: advertisement, store: publisher.destination.store, depth: settings.depth,
            mustFollow: settings.fastForwardOnly ? try await lastKnown(before) : nil)
        try await at(.fetch) { try await upstream.fetch(request, progress: progress.reporting(upTo: settings.maxPack)) }
        progress.finish()
    }

    /// What an operator holds in place of what the remote says.
    private func hold() throws -> Advertisement? {
        let file = HoldFile(publisher.destination)
        guard let hold = try file.read() else { return nil }
        guard hold.ref == settings.upstream.ref.description, let commit = ObjectID(hex: hold.commit) else {
            file.remove()
            logger.notice("hold ended", metadata: ["commit": "\(hold.commit)", "ref": "\(settings.upstream.ref)"])
            return nil
        }
        return Advertisement(ref: "held", commit: commit)
    }

    /// Nothing is fetched for a commit that is held: it is in the store, or it is gone.
    private func proveHeld(_ commit: ObjectID) async throws {
        let (store, options) = (publisher.destination.store, settings.publishing)
        do {
            try await executor.run {
                let repository = try store.open()
                let root = try repository.commit(commit).tree
                // A folder that is not there is told of when the tree is made.
                guard let tree = try repository.subtree(of: root, at: TreePath(options.subdirectory)) else { return }
                try repository.proveConnected(
                    tree: tree, given: nil, depth: options.limits.depth, folders: options.limits.files)
            }
        } catch let error as GitError where error.isNotFound {
            throw SyncError(
                stage: .fetch, cause: "the objects of commit \(commit), which is held, are gone from the store",
                remedy: "run `sidekick resume` to follow the remote again", recovery: .fixConfiguration,
                exitCode: .dataError)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw SyncError(error, at: .fetch)
        }
    }

    /// The commit that the next one must follow. When DESTINATION was lost, it is the one that was fetched last.
    private func lastKnown(_ published: Published?) async throws -> ObjectID? {
        if let published { return published.commit }
        let store = publisher.destination.store
        return try await at(.fetch) {
            try await executor.run { store.exists ? try store.open().reference("refs/sidekick/fetched")?.target : nil }
        }
    }

    private func at<Value>(_ stage: Stage, _ work: () async throws -> Value) async throws -> Value {
        do {
            return try await delivery.at(stage, work)
        } catch {
            progress.finish()
            throw error
        }
    }
}
