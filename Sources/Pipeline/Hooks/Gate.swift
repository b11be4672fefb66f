import Git
import Logging
import Publishing

/// Asks SIDEKICK_BEFORE_PUBLISH whether a commit may be shown. It looks at the whole tree, where nobody else sees it yet.
struct Gate: Sendable {
    let process: HookProcess
    let publisher: Publisher
    let executor: GitExecutor
    let metrics: Metrics

    /// - Returns: `nil` when nobody is to be asked.
    init?(_ settings: HookSettings, _ delivery: Delivery) {
        guard let command = settings.beforePublish else { return nil }
        publisher = delivery.publisher
        executor = delivery.executor
        metrics = delivery.journal.metrics
        process = HookProcess(
            hook: .beforePublish, command: command, settings: settings,
            folder: delivery.publisher.destination.hooksFolder, logger: delivery.logger)
    }

    /// In the layout `folder` a commit is a whole tree only when it is published.
    static let hasNoTree = SyncError(
        stage: .configure,
        cause:
            "SIDEKICK_BEFORE_PUBLISH looks at a whole tree before it is shown, which the layout folder does not make",
        remedy: "set SIDEKICK_LAYOUT to link or exchange and mount the volume a folder higher, or leave the hook out",
        recovery: .fixConfiguration, exitCode: .usage)

    /// - Throws: `SyncError` for a commit that may not be shown, `CancellationError`.
    func judge(_ staged: StagedTree, _ commit: ObjectID, ref: String, replacing before: Published?) async throws {
        let publisher = publisher
        let changes = try await executor.run { try publisher.changes(of: staged, since: before?.name) }
        guard let folder = try await executor.run({ try publisher.beginInspection(of: staged) }) else { return }
        let publication = Publication(
            commit: commit, previous: changes?.isWhole == false ? before.map { "\($0.commit)" } : nil, ref: ref,
            path: folder,
            changedPaths: changes?.paths ?? [])
        var failure: SyncError?
        do {
            try await process.run(publication)
        } catch let error as HookFailure {
            failure = refusal(error, of: commit)
        }
        let changed = try await executor.run { try publisher.endInspection() }
        if let first = changed.first { failure = meddling(first, among: changed.count) }
        let result =
            failure == nil ? Hook.Result.succeeded : failure?.exitCode == .temporaryFailure ? .timedOut : .failed
        metrics.add(to: .hookRuns, Hook.beforePublish.rawValue, result.rawValue)
        if let failure { throw failure }
    }

    private func refusal(_ failure: HookFailure, of commit: ObjectID) -> SyncError {
        let cause = "SIDEKICK_BEFORE_PUBLISH \(failure.cause), for commit \(commit.abbreviated)"
        return failure.result == .timedOut
            ? SyncError(
                stage: .publish, cause: cause, remedy: "raise SIDEKICK_HOOK_TIMEOUT, or let it do less",
                recovery: .retry, exitCode: .temporaryFailure)
            : SyncError(
                stage: .publish, cause: cause,
                remedy:
                    "push a commit that it accepts, or mend it: its output is in the log, and what was published stays",
                recovery: .fixRemote, exitCode: .dataError)
    }

    private func meddling(_ path: TreePath, among count: Int) -> SyncError {
        let name = path == .root ? "its top folder" : "\(path)"
        return SyncError(
            stage: .publish,
            cause: "SIDEKICK_BEFORE_PUBLISH changed the tree that it was to look at: \(name)"
                + (count > 1 ? " and \(count - 1) more" : ""),
            remedy: "let it read only, and write elsewhere: what is published is what was pushed",
            recovery: .fixConfiguration, exitCode: .dataError)
    }
}
