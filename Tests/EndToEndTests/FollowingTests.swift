import Foundation
import TestSupport
import Testing

@Suite struct `Following a repository` {
    @Test(arguments: ["link", "folder"])
    func `the first pass publishes and the next ones follow`(layout: String) async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one", "css/site.css": "body {}", "old/page.html": "gone soon"])
        let folder = try TemporaryFolder()
        let arguments = [source.path, folder("www"), "--layout", layout]
        var result = try await Sidekick.once(arguments)
        #expect(result.status == 0, "\(result.log)")
        #expect(try differences(folder("www"), from: source.path, "HEAD") == [])
        try source.commit(["index.html": "two", "old/page.html": nil, "new/deep/page.html": "hello"])
        result = try await Sidekick.once(arguments)
        #expect(result.status == 0, "\(result.log)")
        #expect(try differences(folder("www"), from: source.path, "HEAD") == [])
        #expect(!folder.has("www/old"))
    }

    @Test(arguments: ["link", "folder"])
    func `a daemon follows pushes over http, forced ones too, and can be told to look now`(layout: String) async throws
    {
        let remote = try await HTTPRemote(["index.html": "one"])
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick([remote.url(), folder("www"), "--delay", "1h", "--layout", layout])
        try await sidekick.prints("published")
        #expect(try folder.read("www/index.html") == "one")

        try remote.push(["index.html": "two", "more.html": "more"])
        sidekick.send(SIGHUP)
        try await eventually("the push shows") { try folder.read("www/index.html") == "two" }

        try remote.source.git("reset", "-q", "--hard", "HEAD~1")
        try remote.push(["index.html": "rewritten"], force: true)
        sidekick.send(SIGHUP)
        try await eventually("the forced push shows") { try folder.read("www/index.html") == "rewritten" }
        try await eventually("the rest is gone") { !folder.has("www/more.html") }
        #expect(try await sidekick.stop() == 0)
        #expect(try differences(folder("www"), from: remote.bare, "main") == [])
    }

    @Test func `a daemon looks by itself every DELAY`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick(environment: [
            "REPOSITORY": source.path, "DESTINATION": folder("www"), "DELAY": "200ms",
        ])
        try await sidekick.prints("published")
        try source.commit(["index.html": "two"])
        try await eventually("the commit shows") { try folder.read("www/index.html") == "two" }
        #expect(try await sidekick.stop() == 0)
    }

    @Test(arguments: [true, false])
    func `branches, tags and commits are followed by name`(http: Bool) async throws {
        let remote = try await HTTPRemote(["index.html": "main"])
        let first = try remote.source.head
        try remote.push(["index.html": "main again"])
        try remote.source.git("tag", "-a", "v1", "-m", "One", first)
        try remote.source.git("tag", "light", first)
        try remote.source.git("push", "-q", "--tags", "origin")
        try remote.source.git("checkout", "-q", "-b", "feature/x")
        try remote.push(["index.html": "feature"], branch: "feature/x")
        let folder = try TemporaryFolder()
        let repository = http ? remote.url() : remote.bare
        for (ref, text) in [
            ("feature/x", "feature"), ("v1", "main"), ("main", "main again"), ("light", "main"),
            ("refs/heads/feature/x", "feature"), (first, "main"), ("HEAD", "main again"), ("refs/tags/v1", "main"),
        ] {
            let result = try await Sidekick.once([repository, folder("www"), "--ref", ref])
            #expect(result.status == 0, "\(ref): \(result.log)")
            #expect(try folder.read("www/index.html") == text, "\(ref)")
        }
    }

    @Test(arguments: [true, false])
    func `a commit that no reference names is found on the branch that it is on`(http: Bool) async throws {
        let remote = try await HTTPRemote(["index.html": "main"])
        try remote.source.git("checkout", "-q", "-b", "release")
        let wanted = try remote.push(["index.html": "released"], branch: "release")
        try remote.push(["index.html": "later"], branch: "release")
        let folder = try TemporaryFolder()
        let result = try await Sidekick.once([http ? remote.url() : remote.bare, folder("www"), "--ref", wanted])
        #expect(result.status == 0, "\(result.log)")
        #expect(try folder.read("www/index.html") == "released")
    }

    @Test func `single passes do not pile up trees`() async throws {
        let source = try GitRepository()
        let folder = try TemporaryFolder()
        for number in 0..<5 {
            try source.commit(["index.html": "\(number)"])
            #expect(try await Sidekick.once([source.path, folder("www"), "--grace", "0s"]).status == 0)
        }
        let trees = try FileManager.default.contentsOfDirectory(atPath: folder(".sidekick/www/trees"))
        #expect(trees.count == 3, "the live one, the one before, and a spare")
    }

    @Test func `only the subdirectory is published, and a change of it shows`() async throws {
        let source = try GitRepository()
        try source.commit(["site/index.html": "site", "docs/index.html": "docs", "secret": "no"])
        let folder = try TemporaryFolder()
        for name in ["site", "docs"] {
            let result = try await Sidekick.once([source.path, folder("www"), "--subdirectory", "/\(name)/"])
            #expect(result.status == 0, "\(result.log)")
            #expect(try folder.read("www/index.html") == name)
            #expect(!folder.has("www/secret") && !folder.has("www/\(name)"))
        }
    }

    @Test(arguments: ["link", "folder"], ["000", "027", "077"])
    func `modes are 0644 and 0755 whatever the umask`(layout: String, umask: String) async throws {
        let source = try GitRepository()
        try source.folder.write("x", to: "folder/tool")
        chmod(source.folder("folder/tool"), 0o755)
        try source.commit(["folder/page.html": "x"])
        let folder = try TemporaryFolder()
        let result = try await Sidekick.once(
            [source.path, folder("www"), "--layout", layout],
            wrapper: ["sh", "-c", "umask \(umask); exec \"$0\" \"$@\""])
        #expect(result.status == 0, "\(result.log)")
        let modes = try Command.run(
            ["find", ".", "-printf", "%P %m\\n"], in: folder("www") + "/.", environment: ["PATH": "/usr/bin:/bin"]
        ).text
        #expect(
            Set(modes.split(separator: "\n")) == [" 755", "folder 755", "folder/page.html 644", "folder/tool 755"],
            "\(modes)")
        let state = try Command.run(
            ["find", ".sidekick", "-maxdepth", "2", "-printf", "%f %m\\n"], in: folder.path,
            environment: ["PATH": "/usr/bin:/bin"]
        ).text.split(separator: "\n")
        #expect(
            state.contains("git 700") && state.contains("lock 600") && state.contains("status.json 644"), "\(state)")
        #expect(state.contains(".sidekick 755") && state.contains("www 755"), "\(state)")
    }

    @Test func `local repositories of every kind work`() async throws {
        let source = try GitRepository()
        for number in 0..<3 { try source.commit(["index.html": "\(number)"]) }
        let folder = try TemporaryFolder()
        let environment = GitRepository.environment()
        try Command.run(
            ["git", "clone", "-q", "--depth", "1", "file://\(source.path)", folder("shallow")], environment: environment
        )
        try source.git("worktree", "add", "-q", folder("worktree"), "-b", "other")
        try Command.run(["git", "clone", "-q", "--bare", source.path, folder("bare.git")], environment: environment)
        for repository in [folder("shallow"), folder("worktree"), folder("bare.git"), "file://\(source.path)"] {
            let site = try TemporaryFolder()
            let result = try await Sidekick.once([repository, site("www")])
            #expect(result.status == 0, "\(repository): \(result.log)")
            #expect(try site.read("www/index.html") == "2")
        }
        let result = try await Sidekick.once(["bare.git", "www"], in: folder.path)
        #expect(result.status == 0, "relative paths: \(result.log)")
    }

    @Test func `a change of the remote from a copy to a server starts a new store`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        try remote.push(["index.html": "two"])
        let folder = try TemporaryFolder()
        for (repository, text) in [(remote.bare, "three"), (remote.url(), "four"), (remote.bare, "five")] {
            try remote.push(["index.html": text])
            let result = try await Sidekick.once([repository, folder("www")])
            #expect(result.status == 0, "\(result.log)")
            #expect(try folder.read("www/index.html") == text)
        }
    }

    @Test(arguments: [true, false])
    func `a rewritten history is refused when it is asked for, and a fast-forward is not`(http: Bool) async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let folder = try TemporaryFolder()
        let arguments = [http ? remote.url() : remote.bare, folder("www"), "--fast-forward-only"]
        #expect(try await Sidekick.once(arguments).status == 0)
        for number in 0..<5 { try remote.push(["index.html": "forward \(number)"]) }
        #expect(try await Sidekick.once(arguments).status == 0)
        #expect(try folder.read("www/index.html") == "forward 4")

        try remote.source.git("reset", "-q", "--hard", "HEAD~2")
        try remote.push(["index.html": "rewritten"], force: true)
        let refused = try await Sidekick.once(arguments)
        #expect(refused.status == 65)
        #expect(refused.log.contains("history was rewritten"))
        #expect(try folder.read("www/index.html") == "forward 4")
    }
}
