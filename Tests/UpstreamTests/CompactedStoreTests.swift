import Foundation
import Git
import TestSupport
import Testing

@testable import Upstream

@Suite struct `A store that was compacted` {
    private func fetch(_ url: String, into store: Store, depth: Int) async throws -> ObjectID {
        let upstream = try UpstreamOptions(url: RemoteURL(url), timeout: patience).makeUpstream(on: GitExecutor())
        let advertisement = try await upstream.discover()
        try await upstream.fetch(
            FetchRequest(advertisement: advertisement, store: store, depth: depth, mustFollow: nil)
        ) { _ in }
        try store.open().noteFetched(advertisement.commit)
        try store.open().notePublished(advertisement.commit)
        return advertisement.commit
    }

    private func fsck(_ path: String) throws -> String {
        let result = try Command.run(
            ["git", "fsck", "--connectivity-only", "--no-dangling", "--no-progress"], in: path,
            environment: GitRepository.environment(), mayFail: true)
        return result.status == 0 ? "" : result.error + result.text
    }

    @Test(arguments: [(true, 1), (true, 2), (true, 0), (false, 1), (false, 2), (false, 0)])
    func `is fetched into as before, and what it has is not asked for again`(local: Bool, depth: Int) async throws {
        let large = (0..<3000).map { _ in UUID().uuidString }.joined()
        let remote = try await HTTPRemote(["index.html": "0", "large": large])
        let address = local ? remote.bare : remote.url()
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        for number in 1...6 {
            try remote.push(["index.html": "\(number)", "pages/\(number)": "\(number)"])
            let commit = try await fetch(address, into: store, depth: depth)
            #expect(try fsck(store.path) == "", "\(number)")
            #expect(try store.open().publishedCommits().first == commit)
            guard number % 2 == 0 else { continue }
            let before = try store.open().publishedCommits()
            #expect(try store.compact(keeping: before, depth: depth) == before)
            #expect(try fsck(store.path) == "", "\(number) compacted")
            #expect(try store.open().publishedCommits() == before)
            #expect(store.size().bytes < 150_000, "the large file stands once in it: \(store.size())")
            let history = try Command.run(
                ["git", "rev-list", "--count", "refs/sidekick/fetched"], in: store.path,
                environment: GitRepository.environment()
            ).text.trimmingCharacters(in: .newlines)
            if depth == 0 { #expect(history == "\(number + 1)", "all of the history") }
        }
        // A rewritten history, too.
        try remote.source.git("checkout", "-q", "-b", "other", "HEAD~3")
        let rewritten = try remote.push(["index.html": "other"], force: true)
        #expect(try await fetch(address, into: store, depth: depth).description == rewritten)
        #expect(try fsck(store.path) == "")
        #expect(store.size().bytes < 150_000, "\(store.size())")
    }
}
