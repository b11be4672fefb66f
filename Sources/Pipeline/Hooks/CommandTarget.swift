import Git
import Publishing

/// SIDEKICK_ON_PUBLISH.
struct CommandTarget: HookTarget {
    let hook = Hook.onPublish
    let process: HookProcess
    let ledger: HookLedger
    let publisher: Publisher
    let executor: GitExecutor
    /// A long list is made beside passes.
    private let listing = GitExecutor(label: "sidekick.hooks")

    init(process: HookProcess, ledger: HookLedger, publisher: Publisher, executor: GitExecutor) {
        (self.process, self.ledger, self.publisher, self.executor) = (process, ledger, publisher, executor)
    }

    func tell() async throws -> Bool {
        let (publisher, entry) = (publisher, ledger[hook])
        // A run that did not end well may have done anything, and what it was told of must be told of again.
        let tried = entry.tried ?? []
        guard let published = try await executor.run({ try publisher.published() }),
            !tried.isEmpty || entry.told != published.name
        else { return false }
        let known = tried.count > Self.maxTried ? [] : entry.told.map { [$0] + tried } ?? []
        guard let changes = try await listing.run({ try publisher.changes(since: known) }) else { return false }
        let name = changes.published.name
        ledger.change(hook) { entry in if !tried.contains(name) { entry.tried = tried + [name] } }
        try await process.run(
            HookContext(
                commit: changes.published.commit, previous: changes.isWhole ? nil : entry.told?.commit,
                ref: ledger.ref(of: changes.published), path: publisher.destination.path, changedPaths: changes.paths))
        ledger.change(hook) { ($0.told, $0.tried) = (name, nil) }
        return true
    }

    /// Of so many publishes the hook may have seen a part; beyond that, everything counts.
    private static let maxTried = 8
}
