import Git
import Logging
import Publishing

/// From the store to the disk: makes a commit's tree and shows it.
struct Delivery: Sendable {
    let publisher: Publisher
    let executor: GitExecutor
    let journal: Journal
    let logger: Logger
    /// Told when something became visible.
    var published: @Sendable () -> Void = {}

    /// - Parameters:
    ///   - ref: for people and for hooks.
    ///   - gate: asked before it is shown; `nil` where nobody is.
    func deliver(_ commit: ObjectID, ref: String, replacing before: Published?, past gate: Gate? = nil) async throws {
        let store = publisher.destination.store
        journal.enter(.materialize)
        let staged = try await at(.materialize) {
            try await executor.run {
                let repository = try store.open()
                return try publisher.materialize(try repository.commit(commit), from: repository)
            }
        }
        journal.enter(.publish)
        do {
            try await at(.publish) { try await gate?.judge(staged, commit, ref: ref, replacing: before) }
        } catch {
            // Through a file that both trees share: what is visible comes first.
            if let before, publisher.hasDrifted { try await deliver(before.commit, ref: ref, replacing: before) }
            throw error
        }
        let notices = try await at(.publish) { try await executor.run { try publisher.publish(staged) } }

        journal.metrics.add(Double(staged.filesWritten), to: .filesWritten)
        journal.metrics.add(Double(staged.bytesWritten), to: .bytesWritten)
        logger.report(notices)
        var metadata: Logger.Metadata = [
            "commit": "\(commit)", "ref": "\(ref)", "written": "\(staged.filesWritten)",
            "bytes": "\(staged.bytesWritten)", "removed": "\(staged.filesRemoved)",
        ]
        if let before { metadata["previous"] = "\(before.commit)" }
        logger.notice("published", metadata: metadata)
        published()
        await noteHistory(of: commit)
    }

    /// Remembers in the store what was published, for a rollback. Without it that goes less far back: nothing to fail for.
    func noteHistory(of commit: ObjectID) async {
        let store = publisher.destination.store
        do {
            try await executor.run { if store.exists { try store.open().notePublished(commit) } }
        } catch {
            logger.debug("history not noted", metadata: ["cause": "\(SyncError(error, at: .report).cause)"])
        }
    }

    func at<Value>(_ stage: Stage, _ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw SyncError(error, at: stage)
        }
    }
}
