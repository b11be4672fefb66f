import Foundation
import TestSupport
import Testing

/// Real sites' repositories, as bundles in a folder that `SIDEKICK_HISTORIES` names.
@Suite struct `Real histories` {
    private static let folder = ProcessInfo.processInfo.environment["SIDEKICK_HISTORIES"] ?? ""
    private static let bundles: [String] =
        (try? FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".bundle") }.sorted()) ?? []

    private static let most =
        ProcessInfo.processInfo.environment["SIDEKICK_HISTORY_COMMITS"].flatMap { Int($0) } ?? 50

    @Test(
        .enabled(if: !bundles.isEmpty, "SIDEKICK_HISTORIES names a folder with bundles of real repositories"),
        arguments: bundles, ["link", "folder"])
    func `every commit is published as git has it, one after the other`(bundle: String, layout: String) async throws {
        let folder = try TemporaryFolder()
        let environment = GitRepository.environment()
        let repository = folder("site.git")
        try Command.run(
            ["git", "clone", "-q", "--bare", Self.folder + "/" + bundle, repository], environment: environment)
        let history = try Command.run(
            ["git", "rev-list", "--reverse", "HEAD"], in: repository, environment: environment
        )
        .text.split(separator: "\n").map(String.init)
        // Evenly apart, the last among them: `SIDEKICK_HISTORY_COMMITS` is how many of each history.
        let count = min(history.count, Self.most)
        let commits = (0..<count).map { history[($0 + 1) * history.count / count - 1] }
        #expect(!commits.isEmpty)
        try Command.run(["git", "update-ref", "refs/heads/walk", commits[0]], in: repository, environment: environment)
        let sidekick = try Sidekick([
            repository, folder("www"), "--ref", "walk", "--layout", layout, "--delay", "1h", "--log-level", "notice",
        ])
        for commit in commits {
            try Command.run(["git", "update-ref", "refs/heads/walk", commit], in: repository, environment: environment)
            if commit != commits[0] { sidekick.send(SIGHUP) }
            try await sidekick.prints("published commit=\(commit)")
            let found = try differences(folder("www"), from: repository, commit)
            #expect(found == [], "\(bundle) \(commit)")
            if !found.isEmpty { break }
        }
        #expect(try await sidekick.stop() == 0)
    }
}
