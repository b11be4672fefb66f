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
    init?(_ settings: HookSettings, _ deployment: Deployment) {
        guard let command = settings.beforePublish else { return nil }
        publisher = deployment.publisher
        executor = deployment.executor
        metrics = deployment.journal.metrics
        process = HookProcess(
            hook: .beforePublish, command: command, settings: settings,
            folder: deployment.publisher.destination.stateFolder, logger: deployment.logger)
    }

    /// In the layout `folder` a commit is a whole tree only when it is published.
    static let hasNoTree = SyncError(
        stage: .configure,
        cause:
            "SIDEKICK_BEFORE_PUBLISH looks at a whole tree before it is shown, which the layout folder does not make",
        remedy: "set SIDEKICK_LAYOUT to link or exchange and mount the volume a folder higher, or leave the hook out",
        recovery: .fixConfiguration, exitCode: .usage)

    /// - Throws: `SyncError` for a commit that may not be shown, `CancellationError`.
    func judge(_ staged: StagedTree, _ commit: ObjectID, ref: ReferenceName, replacing before: Published?) async throws
    {
        let publisher = publisher
        let changes = try await executor.run {
            try publisher.changes(of: staged, since: before.map { [$0.name] } ?? [])
        }
        guard let folder = try await executor.run({ try publisher.beginInspection(of: staged) }) else { return }
        let publication = HookContext(
            commit: commit, previous: changes?.isWhole == false ? before.map { "\($0.commit)" } : nil, ref: ref,
            path: folder,
            changedPaths: changes?.paths ?? [])
        var refusal: HookFailure?
        do {
            try await process.run(publication)
        } catch let error as HookFailure {
            refusal = error
        } catch {
            _ = try? await endInspection()
            throw error
        }
        let changed = try await endInspection()
        let result = refusal?.result ?? (changed.isEmpty ? .succeeded : .failed)
        metrics.add(to: .hookRuns, Hook.beforePublish.rawValue, result.rawValue)
        if let first = changed.first { throw meddling(first, among: changed.count) }
        if let refusal { throw failure(refusal, of: commit) }
    }

    /// Also when the pass was cancelled.
    private func endInspection() async throws -> [TreePath] {
        let (publisher, executor) = (publisher, executor)
        return try await Task { try await executor.run { try publisher.endInspection() } }.value
    }

    private func failure(_ refusal: HookFailure, of commit: ObjectID) -> SyncError {
        let (remedy, code): (String, ExitStatus) =
            switch refusal.recovery {
            case .fixRemote:
                (
                    "push a commit that it accepts, or mend it: its output is in the log, and what was published stays",
                    .dataError
                )
            case .fixConfiguration: ("give a program that is there and that may be run", .usage)
            case .retry, .rebuildStore:
                refusal.result == .timedOut
                    ? ("raise SIDEKICK_HOOK_TIMEOUT, or let it do less", .temporaryFailure)
                    : ("look at what this machine is short of", .ioError)
            }
        return SyncError(
            stage: .gate, cause: "SIDEKICK_BEFORE_PUBLISH \(refusal.cause), for commit \(commit.abbreviated)",
            remedy: remedy, recovery: refusal.recovery, exitCode: code)
    }

    private func meddling(_ path: TreePath, among count: Int) -> SyncError {
        let name = path == .root ? "its top folder" : "\(path)"
        return SyncError(
            stage: .gate,
            cause: "the tree was changed while SIDEKICK_BEFORE_PUBLISH looked at it: \(name)"
                + (count > 1 ? " and \(count - 1) more" : ""),
            remedy:
                "let it read only, and nobody else change what is served meanwhile: what is published is what was pushed",
            recovery: .fixConfiguration, exitCode: .dataError)
    }
}
