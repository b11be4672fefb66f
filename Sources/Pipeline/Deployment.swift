import Content
import Git
import Logging
import Platform
import Publishing
import Trust

/// A server sent a commit and not all that belongs to it.
struct IncompleteCommit: Error {
    let commit: ObjectID
    let reason: String
}

/// A commit to publish.
struct Target: Sendable {
    let commit: ObjectID
    /// The full name of the reference that named it, for people and for hooks; empty for what an operator holds, `nil` for what is
    /// only made anew.
    let ref: ReferenceName?
    /// Whether it has just come from the remote. What the server is told to be here must have made a tree.
    var isFetched = false
    /// The annotated tag that led to it.
    var tag: ObjectID?
    /// Who has signed it, where that was looked at.
    var signer: Signer?

    /// Whose fault it is that something cannot be read: what came from the remote is the remote's; what was proven to be here once
    /// is the store's.
    func blame(_ error: GitError, in store: Store) throws -> any Error {
        guard isFetched, error.isDamage, try store.isSound() else { return error }
        return IncompleteCommit(commit: commit, reason: error.message)
    }
}

/// From the store to the disk: makes a commit's tree and shows it.
struct Deployment: Sendable {
    let publisher: Publisher
    let executor: GitExecutor
    let journal: Journal
    let logger: Logger
    /// Brings what a commit names of Git LFS; `nil` where nothing is brought.
    var lfs: LFSFetch?
    /// Tells others; `nil` where nobody is to know, or another process will.
    var hooks: HookRunner?

    /// All of it, without asking a gate.
    func deploy(_ target: Target, replacing before: Published?) async throws {
        let staged = try await materialize(target)
        try await publish(staged, target, replacing: before)
    }

    /// A plan says which objects of Git LFS it needs before anything is made: they are brought, and it is made anew. One of them may turn
    /// out to be damaged when it is used: it is brought once more.
    func materialize(_ target: Target) async throws -> StagedTree {
        var brought: [LFSObject: Int] = [:]
        while true {
            do {
                return try await stage(target)
            } catch let missing as MissingObjects {
                let isWorthIt = missing.places.contains { brought[$0.object, default: 0] < Self.maxDeliveries }
                guard let lfs, isWorthIt else { throw SyncError(missing, at: .materialize) }
                for place in missing.places { brought[place.object, default: 0] += 1 }
                journal.enter(.fetch)
                try await at(.fetch) { try await lfs.bring(missing, for: target) }
            }
        }
    }

    private static let maxDeliveries = 2

    /// - Throws: `MissingObjects`, `SyncError`, `CancellationError`.
    private func stage(_ target: Target) async throws -> StagedTree {
        let (publisher, store) = (publisher, publisher.destination.store)
        journal.enter(.materialize)
        return try await at(.materialize) {
            try await executor.run {
                let staged: StagedTree
                do {
                    let contents = publisher.destination.contents(of: try store.open())
                    let commit = try contents.repository.commit(target.commit)
                        .with(tree: contents.repository.root(of: target.commit, as: publisher.recipe))
                    staged = try publisher.materialize(commit, from: contents)
                } catch let error as GitError {
                    throw try target.blame(error, in: store)
                }
                if target.isFetched { try store.open().noteFetched(target.commit) }
                return staged
            }
        }
    }

    /// Of a commit that needs no other tree than the one that is shown.
    func noteFetched(_ commit: ObjectID) async throws {
        let store = publisher.destination.store
        try await at(.fetch) { try await executor.run { try store.open().noteFetched(commit) } }
    }

    /// Asks the gate, where there is one.
    func judge(_ staged: StagedTree, _ target: Target, by gate: Gate?, replacing before: Published?) async throws {
        guard let gate else { return }
        journal.enter(.gate)
        do {
            try await at(.gate) {
                try await gate.judge(staged, target.commit, ref: target.ref ?? .empty, replacing: before)
            }
        } catch {
            if let before { await mend(before) }
            throw error
        }
    }

    func publish(_ staged: StagedTree, _ target: Target, replacing before: Published?) async throws {
        journal.enter(.publish)
        if let ref = target.ref { hooks?.note(target.commit, from: ref, signer: target.signer) }
        let notices = try await at(.publish) { try await executor.run { try publisher.publish(staged) } }

        journal.metrics.add(Double(staged.filesWritten), to: .filesWritten)
        journal.metrics.add(Double(staged.bytesWritten), to: .bytesWritten)
        logger.report(notices)
        var metadata: Logger.Metadata = [
            "commit": "\(target.commit)", "written": "\(staged.filesWritten)",
            "bytes": "\(staged.bytesWritten)", "removed": "\(staged.filesRemoved)",
        ]
        if let ref = target.ref { metadata["ref"] = "\(ref == .empty ? "held" : ref.text)" }
        if let before { metadata["previous"] = "\(before.commit)" }
        logger.notice("published", metadata: metadata)
        if before == nil { logger.info("serve it", metadata: ["nginx": "root \(publisher.destination.path);"]) }
        hooks?.notePublished()
        await noteHistory(of: target.commit)
    }

    /// What a person wants to know of what is visible now. That it cannot be told is nothing to fail for.
    ///
    /// - Parameter before: what was visible.
    func change(by commit: ObjectID, since before: Published?) async -> Status.Change? {
        let publisher = publisher
        return try? await executor.run {
            let repository = try publisher.destination.store.open()
            let note = try repository.note(of: commit)
            let changes = try before.flatMap { try publisher.changes(since: [$0.name]) }
            let paths = changes.flatMap { $0.isWhole ? nil : $0.paths }
            return Status.Change(
                subject: note.subject, author: note.author,
                committed: timestamp(Double(min(max(try repository.commit(commit).time, 0), Self.lastTime))),
                paths: paths.map { $0.prefix(Self.maxPaths).map { "\($0)".printable() } }, count: paths?.count)
        }
    }

    /// The end of the year 9999: a committer's clock says any number at all.
    private static let lastTime: Int64 = 253_402_300_799
    /// More paths are for nobody to read.
    private static let maxPaths = 20

    /// Makes anew what was changed of what is visible through a file that it shares with a tree that was looked at.
    private func mend(_ before: Published) async {
        do {
            let isDue = try await executor.run { try publisher.hasDrifted && publisher.hasPublished(before.commit) }
            if isDue { try await deploy(Target(commit: before.commit, ref: nil), replacing: before) }
        } catch is CancellationError {
            // The next pass, or the next start, has it noted.
        } catch {
            logger.warning("drift not mended", metadata: ["cause": "\(SyncError.cause(of: error))"])
        }
    }

    /// Remembers in the store what was published, for a rollback. Without it that goes less far back: nothing to fail for.
    func noteHistory(of commit: ObjectID) async {
        let store = publisher.destination.store
        do {
            try await executor.run { if store.exists { try store.open().notePublished(commit) } }
        } catch {
            logger.debug("history not noted", metadata: ["cause": "\(SyncError.cause(of: error))"])
        }
    }

    func at<Value>(_ stage: Stage, _ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch let error as CancellationError {
            throw error
        } catch let error as MissingObjects {
            throw error
        } catch {
            throw SyncError(error, at: stage)
        }
    }
}
