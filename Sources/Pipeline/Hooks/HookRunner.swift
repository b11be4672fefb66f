import Git
import Platform
import Logging
import Publishing
import Trust

/// Tells others what is published, after it is: beside passes, which never wait for it.
struct HookRunner: Sendable {
    private let messengers: [RetryingTarget]
    private let notification: NotificationTarget?
    private let ledger: HookLedger

    /// - Parameter notifier: takes notifications to SIDEKICK_NOTIFY_URL, when there is one.
    init(_ settings: Settings, _ deployment: Deployment, notifier: (any Notifier)?) {
        let (publisher, executor, logger) = (deployment.publisher, deployment.executor, deployment.logger)
        let (hooks, ledger) = (settings.hooks, HookLedger(publisher.destination, logger: logger))
        self.ledger = ledger
        let touch = hooks.touchFile.map { path in
            TouchTarget(path: path, ledger: ledger, publisher: publisher, executor: executor)
        }
        notification = notifier.map { NotificationTarget($0, ledger, publisher, executor, settings) }
        let command = hooks.onPublish.map { command in
            CommandTarget(
                process: HookProcess(
                    hook: .onPublish, command: command, settings: hooks,
                    folder: publisher.destination.stateFolder, logger: logger),
                ledger: ledger, publisher: publisher, executor: executor)
        }
        let recipients: [(any HookTarget)?] = [touch, command, notification]
        messengers = recipients.compactMap { $0 }.map { recipient in
            RetryingTarget(
                recipient: recipient, metrics: deployment.journal.metrics, logger: logger,
                schedule: Schedule(delay: .seconds(1), cap: settings.backoff))
        }
    }

    /// Something is about to become visible.
    ///
    /// - Parameter ref: the full name of the reference; empty for what an operator holds.
    func note(_ commit: ObjectID, from ref: ReferenceName, signer: Signer?) {
        if !messengers.isEmpty { ledger.note("\(commit)", from: ref, signer: signer) }
    }

    /// Something became visible.
    func notePublished() {
        for messenger in messengers { messenger.bell.set(()) }
    }

    /// A pass has ended.
    func notePass(_ failure: Status.Failure?) {
        guard notification?.note(failure) == true else { return }
        for messenger in messengers where messenger.recipient.hook == .notify { messenger.bell.set(()) }
    }

    /// Until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for messenger in messengers { group.addTask { await messenger.run() } }
        }
    }

    /// Tells each of them once.
    ///
    /// - Throws: `SyncError` of the first that failed, `CancellationError`.
    func runOnce() async throws {
        var failure: (any Error)?
        for messenger in messengers {
            do { try await messenger.runOnce() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }
}
