import Foundation
import TestSupport
import Testing

@Suite struct `A repository on this machine is watched` {
    private func follow(_ path: String, _ folder: TemporaryFolder, _ arguments: String...) async throws -> Sidekick {
        let sidekick = try Sidekick([path, folder("www"), "--delay", "1h"] + arguments)
        try await sidekick.prints("started")
        try await eventually("it is published") { folder.has("www") }
        // It watches from the end of the first pass.
        try await Task.sleep(for: .milliseconds(300))
        return sidekick
    }

    @Test func `a commit shows at once, in the branch that HEAD names and in the one that it names later`() async throws
    {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let sidekick = try await follow(source.path, folder)
        for number in 1...3 {
            let start = Date()
            try source.commit(["index.html": "\(number)"])
            try await eventually("the commit shows") { try folder.read("www/index.html") == "\(number)" }
            #expect(try shownAt(folder("www")).timeIntervalSince(start) < 2)
        }
        try source.git("checkout", "-q", "-b", "topic/deep/branch")
        try source.commit(["index.html": "topic"])
        try await eventually("the branch shows") { try folder.read("www/index.html") == "topic" }
        // The folders of the next one are new as well.
        try source.git("checkout", "-q", "main")
        try await eventually("HEAD shows") { try folder.read("www/index.html") == "3" }
        try source.git("pack-refs", "--all")
        try source.commit(["index.html": "packed"])
        try await eventually("what is packed shows") { try folder.read("www/index.html") == "packed" }
        try source.git("reset", "-q", "--hard", "HEAD~2")
        try await eventually("a reset shows") { try folder.read("www/index.html") == "2" }
        #expect(try await sidekick.stop() == 0)
        #expect(sidekick.log.contains("pass requested by=change"))
    }

    @Test
    func
        `a push into a bare one and a commit in a work tree beside it show at once, and what is no reference does nothing`()
        async throws
    {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let (beside, bare) = try source.bareClone()
        try source.git("remote", "add", "origin", bare)
        let folder = try TemporaryFolder()
        let pushed = try await follow(bare, folder)
        try source.commit(["index.html": "two"])
        try source.git("push", "-q", "origin", "HEAD:refs/heads/main")
        try await eventually("the push shows") { try folder.read("www/index.html") == "two" }
        try await Task.sleep(for: .milliseconds(200))
        let before = pushed.log
        try Command.run([
            "sh", "-c", "echo x > \(bare)/description; echo y > \(bare)/refs/heads/odd.lock; mkdir \(bare)/x",
        ])
        try await Task.sleep(for: .milliseconds(500))
        #expect(pushed.log == before)
        #expect(try await pushed.stop() == 0)

        try source.git("worktree", "add", "-q", "-b", "side", beside("tree"))
        let other = try TemporaryFolder()
        let tree = try await follow(beside("tree"), other, "--ref", "side")
        try "side".write(toFile: beside("tree/index.html"), atomically: false, encoding: .utf8)
        try Command.run(
            ["git", "-C", beside("tree"), "commit", "-qam", "side"], environment: GitRepository.environment())
        try await eventually("the commit shows") { try other.read("www/index.html") == "side" }
        #expect(try await tree.stop() == 0)
    }

    @Test func `one that another takes the place of is watched as well, and one that comes later`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([folder("site.git"), folder("www"), "--delay", "300ms", "--backoff", "300ms"])
        try await sidekick.prints("pass failed")
        try Command.run(["git", "clone", "-q", "--bare", source.path, folder("site.git")])
        try await eventually("what came shows") { (try? folder.read("www/index.html")) == "one" }
        #expect(try await sidekick.stop() == 0)

        let later = try await follow(folder("site.git"), folder)
        try source.commit(["index.html": "two"])
        try Command.run(["git", "clone", "-q", "--bare", source.path, folder("other.git")])
        try Command.run([
            "sh", "-c",
            "mv \(folder("site.git")) \(folder("old.git")) && mv \(folder("other.git")) \(folder("site.git"))",
        ])
        try await eventually("the other shows") { try folder.read("www/index.html") == "two" }
        try await Task.sleep(for: .milliseconds(300))
        try source.git("push", "-q", folder("site.git"), "HEAD:refs/heads/side")
        try source.commit(["index.html": "three"])
        try source.git("push", "-q", folder("site.git"), "HEAD:refs/heads/main")
        try await eventually("its own changes show") { try folder.read("www/index.html") == "three" }
        #expect(try await later.stop() == 0)
    }
}
