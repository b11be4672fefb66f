import FoundationEssentials
import Git
import Glibc
import Logging
import Publishing
import Platform

/// Carries out orders: for the process that owns DESTINATION, or in its place when there is none.
struct OrderHandler: Sendable {
    let deployment: Deployment
    /// SIDEKICK_REF, as the hold notes it.
    let ref: String

    private var publisher: Publisher { deployment.publisher }
    private var holdFile: HoldFile { HoldFile(publisher.destination) }

    /// - Parameter pass: publishes what should be published now.
    func carryOut(_ order: Order, pass: () async throws -> Void) async -> Answer {
        do {
            let lines =
                switch order {
                case .rollback(let commit): try await rollback(to: commit, pass)
                case .resume: try await resume(pass)
                case .repair: try await repair(pass)
                case .sync: try await sync(pass)
                }
            return Answer(isDone: true, lines: lines)
        } catch is CancellationError {
            return Answer(isDone: false, lines: ["sidekick was stopped before this was done: ask again"])
        } catch {
            let error = SyncError(error, at: .report)
            return Answer(
                isDone: false, lines: [error.description], exitStatus: order == .sync ? error.exitCode : nil)
        }
    }

    private func rollback(to text: String?, _ pass: () async throws -> Void) async throws -> [String] {
        let commit = try await find(text)
        let before = try holdFile.read()
        try holdFile.write(Hold(commit: "\(commit)", ref: ref, since: timestamp(wallSeconds())))
        do {
            try await pass()
        } catch {
            // What cannot be published is not held.
            if let before { try holdFile.write(before) } else { holdFile.remove() }
            throw error
        }
        deployment.logger.notice("held", metadata: ["commit": "\(commit)"])
        return ["published \(commit), and held until `sidekick resume` or another SIDEKICK_REF"]
    }

    private func find(_ text: String?) async throws -> ObjectID {
        let (store, published) = (publisher.destination.store, try publisher.published()?.commit)
        return try await deployment.executor.run {
            guard store.exists else { throw Self.refusal("the store is gone", remedy: "run a pass first") }
            let repository = try store.open()
            if let text {
                do {
                    if let commit = try repository.commit(abbreviated: text) { return commit }
                } catch let error as GitError where error.isInvalidName {
                    throw Self.refusal(
                        error.message.printable(), remedy: "give the commit's id, or enough of its digits")
                }
                throw Self.refusal(
                    "the objects of commit \(text.printable(limit: 60)) are not in the store, or no longer",
                    remedy:
                        "the published commit and the two before it are kept; to publish another one, set SIDEKICK_REF")
            }
            guard let commit = repository.publishedCommits().first(where: { $0 != published }) else {
                throw Self.refusal("nothing was published before", remedy: "name a commit that is in the store")
            }
            return commit
        }
    }

    private static func refusal(_ cause: String, remedy: String) -> SyncError {
        SyncError(stage: .report, cause: cause, remedy: remedy, recovery: .fixConfiguration, exitCode: .dataError)
    }

    private func sync(_ pass: () async throws -> Void) async throws -> [String] {
        let before = try await deployment.executor.run { [publisher] in try publisher.published()?.commit }
        try await pass()
        let after = try await deployment.executor.run { [publisher] in try publisher.published()?.commit }
        guard let after else { return ["nothing is published"] }
        return [before == after ? "unchanged: \(after)" : "published \(after)"]
    }

    private func resume(_ pass: () async throws -> Void) async throws -> [String] {
        guard holdFile.remove() else { return ["nothing was held"] }
        deployment.logger.notice("hold ended", metadata: ["ref": "\(ref)"])
        try await pass()
        return ["following \(ref) again"]
    }

    /// Compares without the executor that passes need, and takes note of what was found with it.
    private func compared(_ publisher: Publisher, _ store: Store) async throws -> VerificationResult {
        let comparing = GitExecutor(label: "sidekick.verify")
        for _ in 0..<Self.maxComparisons {
            let found = try await comparing.run { try publisher.compare(in: try store.open()) }
            // An update may have come in between.
            if let verdict = try await deployment.executor.run({ try publisher.repair(found) }) { return verdict }
        }
        throw PublishingError.destinationBusy(path: publisher.destination.path, owner: "")
    }

    private static let maxComparisons = 10

    private func repair(_ pass: () async throws -> Void) async throws -> [String] {
        let (publisher, store) = (publisher, publisher.destination.store)
        let verdict = try await compared(publisher, store)
        deployment.logger.report(verdict.notices)
        guard !verdict.differences.isEmpty else { return verdict.unreadable + [verdict.summary] }
        if publisher.hasDrifted { try await pass() }
        deployment.logger.warning("repaired", metadata: ["paths": "\(verdict.differences.count)"])
        return verdict.differences + verdict.notices.map(\.description) + verdict.unreadable + [
            "repaired: \(verdict.differences.count) of \(verdict.count) paths"
        ]
    }
}

extension VerificationResult {
    /// One sentence.
    var summary: String {
        let others = foreignCount > 0 ? "; \(foreignCount) files are not sidekick's" : ""
        return differences.isEmpty
            ? "equal to commit \(commit): \(count) paths\(others)"
            : "\(differences.count) of \(count) paths differ from commit \(commit)\(others)"
    }
}
