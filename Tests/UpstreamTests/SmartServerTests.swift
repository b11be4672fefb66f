import Foundation
import Git
import Synchronization
import TestSupport
import Testing

@testable import Upstream

@Suite struct `Protocol v2` {
    @Test(arguments: SmartRemote.Door.allCases)
    func `a shallow store follows updates, force-pushes, new depths and restarts, and git finds it whole`(
        door: SmartRemote.Door
    ) async throws {
        let remote = try await SmartRemote(
            door, files: ["index.html": "0", "large": String(repeating: "x", count: 50_000)])
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        let view = StoreView(path: store.path)
        var upstream = try remote.upstream()
        for number in 1...4 { try remote.push(["pages/\(number)": "\(number)"]) }
        let steps: [(depth: Int, commits: Int, rewrites: Bool)] = [
            (1, 1, false), (1, 1, false), (1, 1, true), (3, 3, false), (3, 3, true), (0, -1, false), (0, -1, true),
            (1, -1, false), (2, -1, false),
        ]
        for (number, step) in steps.enumerated() {
            if step.rewrites { try remote.source.git("reset", "-q", "--hard", "HEAD~1") }
            try remote.push(["index.html": "step \(number)", "more/\(number)": "\(number)"])
            let tip = try remote.push(["index.html": "step \(number), again"])
            let id = try await remote.fetch(upstream, into: store, depth: step.depth)
            #expect(id.description == tip)
            #expect(try view.fsck() == "", "step \(number)")
            #expect(try view.files(of: id) == remote.source.git("ls-tree", "-r", tip), "step \(number)")
            let whole = Int(try remote.source.git("rev-list", "--count", tip))
            let commits = try view.commits(of: id)
            switch (step.depth, step.commits) {
            case (0, _): #expect(commits == whole, "step \(number)")
            case (_, -1): #expect(commits >= step.depth, "step \(number)")
            // What came before is not thrown away: a deeper history reaches what was the tip then.
            default: #expect(commits >= step.commits && commits < whole ?? 0, "step \(number): \(commits)")
            }
            if number == 0 { #expect(try commits == 1 && view.count("commit") == 1) }
            if number % 2 == 1 { upstream = try remote.upstream() }
            #expect(try store.open().reference("refs/sidekick/fetched")?.target == id)
        }
    }

    @Test(arguments: SmartRemote.Door.allCases)
    func `a kill after what was said of a pack and before the pack is let in loses no end of the history`(
        door: SmartRemote.Door
    ) async throws {
        let remote = try await SmartRemote(door)
        try remote.push(["index.html": "1"])
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        let view = StoreView(path: store.path)
        for round in 1...2 {
            let id = try await remote.fetch(remote.upstream(), into: store, depth: 1)
            #expect(try store.shallowCommits() == [id] && view.fsck() == "", "\(round)")
            // The boundary stays, the pack and what leads to it never came.
            for name in try FileManager.default.contentsOfDirectory(atPath: folder("git/objects/pack")) {
                try FileManager.default.removeItem(atPath: folder("git/objects/pack/" + name))
            }
            try FileManager.default.removeItem(atPath: folder("git/refs/sidekick"))
        }
    }

    @Test
    func `a pass that finds nothing is one request over the connection that stands, and one that finds something two`()
        async throws
    {
        let remote = try await SmartRemote(.http)
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        let upstream = try remote.upstream()
        _ = try await remote.fetch(upstream, into: store, depth: 1)
        func requests() throws -> [String] {
            try #require(remote.nginx).accessLog.split(separator: "\n").map {
                String($0.split(separator: "\"")[1].split(separator: " ").prefix(2).joined(separator: " "))
            }
        }
        let (list, post) = ("GET /site.git/info/refs?service=git-upload-pack", "POST /site.git/git-upload-pack")
        try await eventually("the log is written") { try requests() == [list, post, post] }
        for _ in 0..<3 { _ = try await upstream.discover() }
        try await eventually("the log is written") { try requests() == [list, post, post, post, post, post] }
        try remote.push(["index.html": "1"])
        _ = try await remote.fetch(upstream, into: store, depth: 1)
        try await eventually("the log is written") { try requests().count == 8 && requests().count { $0 == list } == 1 }
        #expect(remote.nginx?.accessLog.contains("\"sidekick") == true)
    }

    @Test(arguments: SmartRemote.Door.allCases)
    func `what is fetched is what changed`(door: SmartRemote.Door) async throws {
        let noise = (0..<20_000).map { _ in UUID().uuidString }.joined()
        let remote = try await SmartRemote(door, files: ["index.html": "0", "noise": noise])
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        let upstream = try remote.upstream()
        _ = try await remote.fetch(upstream, into: store, depth: 1)
        try remote.push(["index.html": "1"])
        let received = Mutex(0)
        let advertisement = try await upstream.discover()
        let request = FetchRequest(advertisement: advertisement, store: store, depth: 1, mustFollow: nil)
        try await upstream.fetch(request) { progress in received.withLock { $0 = progress.receivedBytes } }
        #expect((1...1_000).contains(received.withLock { $0 }), "\(received.withLock { $0 })")
        // What is there is not asked for again.
        received.withLock { $0 = 0 }
        try await upstream.fetch(request) { progress in received.withLock { $0 = progress.receivedBytes } }
        #expect(received.withLock { $0 } == 0)
    }

    @Test(arguments: SmartRemote.Door.allCases)
    func `references are found as git finds them`(door: SmartRemote.Door) async throws {
        let remote = try await SmartRemote(door)
        let first = try remote.source.head
        try remote.source.git("tag", "-a", "v1", "-m", "one")
        try remote.source.git("tag", "-a", "v1-again", "-m", "a tag of a tag", "v1")
        let second = try remote.push(["index.html": "1"])
        try remote.source.git("branch", "v1")
        try remote.source.git("tag", "blob", try remote.source.git("rev-parse", "HEAD:index.html"))
        try remote.source.git("push", "-q", "origin", "refs/heads/v1", "--tags")
        func discover(_ ref: String) async throws -> Advertisement {
            remote.options.ref = try reading(ref)
            return try await remote.upstream().discover()
        }
        let head = try await discover("HEAD")
        #expect(head.commit.description == second && head.ref == "refs/heads/main")
        let tag = try await discover("v1-again")
        #expect(tag.commit.description == first && tag.ref == "refs/tags/v1-again")
        let both = try await discover("v1")
        #expect(both.commit.description == second && both.ref == "refs/heads/v1" && both.warnings.count == 1)
        #expect(try await discover("refs/tags/v1").commit.description == first)
        #expect(try await discover("tags/v1").commit.description == first)
        await #expect(throws: UpstreamError.self) { try await discover("nothing") }
        await #expect(throws: UpstreamError.self) { try await discover("mai") }
        // The default branch gets another name on the server.
        remote.options.ref = .head
        let upstream = try remote.upstream()
        #expect(try await upstream.discover().ref == "refs/heads/main")
        try Command.run(["git", "-C", remote.bare, "branch", "-m", "main", "trunk"])
        let renamed = try await upstream.discover()
        #expect(renamed.ref == "refs/heads/trunk" && renamed.commit.description == second)

        let folder = try TemporaryFolder()
        remote.options.ref = try reading("blob")
        await #expect {
            _ = try await remote.fetch(remote.upstream(), into: Store(path: folder("git")), depth: 1)
        } throws: {
            guard case UpstreamError.notACommit = $0 else { return false }
            return true
        }
    }

    @Test(arguments: SmartRemote.Door.allCases)
    func `a commit by its id is fetched where the server gives it, and named where it does not`(door: SmartRemote.Door)
        async throws
    {
        let remote = try await SmartRemote(door)
        let first = try remote.source.head
        try remote.push(["index.html": "1"])
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        remote.options.ref = try reading(first)
        #expect(try await remote.fetch(remote.upstream(), into: store, depth: 1).description == first)
        #expect(try StoreView(path: store.path).fsck() == "")
        remote.options.ref = try reading(String(repeating: "12", count: 20))
        await #expect {
            _ = try await remote.fetch(remote.upstream(), into: store, depth: 1)
        } throws: {
            guard case UpstreamError.refMissing = $0 else { return false }
            return true
        }
    }

    @Test(arguments: SmartRemote.Door.allCases)
    func `a repository without commits, and none at all, are told apart`(door: SmartRemote.Door) async throws {
        let remote = try await SmartRemote(door)
        try Command.run(["git", "init", "-q", "--bare", "-b", "main", remote.bare + "/../empty.git"])
        func refused(_ name: String) async -> String {
            do {
                remote.options.url = try RemoteURL(remote.url.replacingOccurrences(of: "site.git", with: name))
                _ = try await remote.upstream().discover()
                return "accepted"
            } catch {
                return "\(error)"
            }
        }
        #expect(await refused("empty.git").contains("has no commits"))
        #expect(await refused("nothing.git").contains("there is no repository"))
    }

    @Test func `a server of the old protocol is followed all the same, and that is told once`() async throws {
        let remote = try await SmartRemote(.http, version2: false)
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        let told = Mutex<[String]>([])
        let upstream = try remote.options.makeUpstream(on: GitExecutor()) { text in told.withLock { $0.append(text) } }
        for number in 1...3 {
            let tip = try remote.push(["index.html": "\(number)"])
            #expect(try await remote.fetch(upstream, into: store, depth: 1).description == tip)
            #expect(try StoreView(path: store.path).fsck() == "")
        }
        #expect(told.withLock { $0 }.count == 1, "\(told.withLock { $0 })")
        // One that speaks the new one goes on with what is here.
        let modern = try await Nginx(gitRepositoriesIn: (remote.bare as NSString).deletingLastPathComponent)
        remote.options.url = try RemoteURL("http://127.0.0.1:\(modern.port)/site.git")
        let tip = try remote.push(["index.html": "modern"])
        #expect(try await remote.fetch(remote.upstream(), into: store, depth: 1).description == tip)
        #expect(try StoreView(path: store.path).fsck() == "")
    }
}

@Suite struct `Fast-forward only` {
    @Test(arguments: [true, false])
    func `a long fast-forward is taken, a rewritten history is not, and with a filter no tree comes in vain`(
        filter: Bool
    )
        async throws
    {
        let remote = try await SmartRemote(.http, filter: filter)
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        let view = StoreView(path: store.path)
        let upstream = try remote.upstream()
        let first = try await remote.fetch(upstream, into: store, depth: 1)
        for number in 1...40 { try remote.source.commit(["pages/\(number)/index.html": "\(number)"]) }
        let tip = try remote.push(["index.html": "forward"])
        let id = try await remote.fetch(upstream, into: store, depth: 1, mustFollow: first)
        #expect(id.description == tip)
        #expect(try view.fsck() == "")
        if filter {
            // With the one before it: a server that is asked for one alone does not see that the rest is here.
            #expect(try view.count("commit") == 3 && view.commits(of: id) == 2)
            #expect(!folder.has("git/sidekick-history"))
        }
        // The last commit alone, amended: it has a parent in common with what is refused.
        try remote.source.git("commit", "-q", "--amend", "-m", "amended")
        try remote.source.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main")
        for _ in 0..<2 {
            await #expect {
                _ = try await remote.fetch(upstream, into: store, depth: 1, mustFollow: id)
            } throws: {
                guard case UpstreamError.rewritten = $0 else { return false }
                return true
            }
        }
        try remote.source.git("reset", "-q", "--hard", tip)
        // A merge whose second parent is what was published follows it.
        try remote.source.git("checkout", "-q", "-b", "side", "HEAD~5")
        try remote.source.commit(["side": "1"])
        try remote.source.git("merge", "-q", "-m", "merge", "main")
        try remote.source.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main")
        let merged = try await remote.fetch(upstream, into: store, depth: 1, mustFollow: id)
        #expect(try view.files(of: merged) == remote.source.git("ls-tree", "-r", "HEAD"))
        #expect(try view.fsck() == "")
    }

    @Test(arguments: [true, false])
    func `a history that goes back behind what is here is rewritten, and the store is not to blame`(filter: Bool)
        async throws
    {
        let remote = try await SmartRemote(.http, filter: filter)
        for number in 1...4 { try remote.push(["index.html": "\(number)"]) }
        let folder = try TemporaryFolder()
        let store = Store(path: folder("git"))
        let upstream = try remote.upstream()
        let tip = try await remote.fetch(upstream, into: store, depth: 1)
        try remote.source.git("reset", "-q", "--hard", "HEAD~3")
        try remote.push(["index.html": "rewritten"])
        for _ in 0..<2 {
            await #expect {
                _ = try await remote.fetch(upstream, into: store, depth: 1, mustFollow: tip)
            } throws: {
                guard case UpstreamError.rewritten = $0 else { return false }
                return true
            }
        }
        #expect(try StoreView(path: store.path).fsck() == "")
    }

    @Test func `the store may be lost meanwhile`() async throws {
        let remote = try await SmartRemote(.http, filter: true)
        let first = try #require(ObjectID(hex: try remote.source.head))
        let tip = try remote.push(["index.html": "1"])
        let folder = try TemporaryFolder()
        let id = try await remote.fetch(
            remote.upstream(), into: Store(path: folder("git")), depth: 1, mustFollow: first)
        #expect(id.description == tip)
        #expect(try StoreView(path: folder("git")).count("commit") == 1)
    }
}

private func reading(_ ref: String) throws -> RefSelection { try #require(RefSelection(reading: ref)) }
