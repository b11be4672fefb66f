import Git
import Publishing

/// SIDEKICK_ON_PUBLISH.
struct CommandRecipient: Recipient {
    let hook = Hook.onPublish
    let process: HookProcess
    let ledger: HookLedger
    let publisher: Publisher
    let executor: GitExecutor
    /// The full name of the reference that is followed.
    let ref: @Sendable () -> String

    func tell() async throws -> Bool {
        let (publisher, entry) = (publisher, ledger[hook])
        guard let published = try await executor.run({ try publisher.published() }),
            // One that was begun and not finished may have done anything.
            entry.begun != nil || entry.told != published.name,
            let changes = try await executor.run({ try publisher.changes(since: entry.told) })
        else { return false }
        let name = changes.published.name
        ledger.change(hook) { $0.begun = name }
        try await process.run(
            Publication(
                commit: changes.published.commit, previous: changes.isWhole ? nil : entry.told?.commit, ref: ref(),
                path: publisher.destination.path, changedPaths: changes.paths))
        ledger.change(hook) { ($0.told, $0.begun) = (name, nil) }
        return true
    }
}
