import Git
import Logging
import Publishing
import Upstream

/// One pass: is the remote ahead of what is published, and if so, publish it.
struct Pass: Sendable {
    let settings: Settings
    let upstream: any Upstream
    let publisher: Publisher
    let executor: GitExecutor
    let logger: Logger
    let progress: ProgressReporter

    enum Outcome: Sendable, Equatable {
        case unchanged
        case published(commit: ObjectID)
    }

    /// - Throws: `SyncError` with the stage that failed, `CancellationError`.
    func run() async throws -> Outcome {
        let advertisement = try await at(.discover) { try await upstream.discover() }
        let commit = advertisement.commit

        let before = try await at(.publish) { try await executor.run { try publisher.published() } }
        if try await at(.publish, { try await executor.run { try publisher.shows(commit) } }) {
            logger.debug("unchanged", metadata: ["commit": "\(commit)"])
            return .unchanged
        }
        for warning in advertisement.warnings { logger.warning("ambiguous", metadata: ["ref": "\(warning)"]) }

        let store = publisher.destination.store
        let request = FetchRequest(
            advertisement: advertisement, store: store, depth: settings.depth,
            mustFollow: settings.fastForwardOnly ? try await lastKnown(before) : nil)
        try await at(.fetch) { try await upstream.fetch(request, progress: progress.reporting(upTo: settings.maxPack)) }
        progress.finish()

        let staged = try await at(.materialize) {
            try await executor.run {
                let repository = try store.open()
                return try publisher.materialize(try repository.commit(commit), from: repository)
            }
        }
        let notices = try await at(.publish) { try await executor.run { try publisher.publish(staged) } }

        for notice in notices { logger.warning("notice", metadata: ["what": "\(notice)"]) }
        logger.notice("published", metadata: metadata(of: staged, advertisement, replacing: before))
        return .published(commit: commit)
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
            return try await work()
        } catch let error as CancellationError {
            progress.finish()
            throw error
        } catch {
            progress.finish()
            throw SyncError(error, at: stage)
        }
    }

    private func metadata(
        of staged: StagedTree, _ advertisement: Advertisement, replacing before: Published?
    ) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "commit": "\(advertisement.commit)", "ref": "\(advertisement.ref)",
            "written": "\(staged.filesWritten)", "bytes": "\(staged.bytesWritten)", "removed": "\(staged.filesRemoved)",
        ]
        if let before { metadata["previous"] = "\(before.commit)" }
        return metadata
    }
}
