import Foundation
import Pipeline
import TestSupport
import Testing

@Suite struct `Bad input` {
    @Test func `bad settings are named with what would be accepted, before anything is touched`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let good = ["REPOSITORY": source.path, "DESTINATION": folder("www")]
        for (change, words) in [
            (["REPOSITORY": ""], "REPOSITORY is required"),
            (["DESTINATION": ""], "DESTINATION is required"),
            (["DELAY": "0"], "DELAY is \"0\": give seconds"),
            (["DELAY": "abc"], "DELAY is \"abc\": give seconds"),
            (["DELAY": "-5"], "DELAY is \"-5\": give seconds"),
            (["DELAY": "1e3"], "DELAY is \"1e3\": give seconds"),
            (["REPOSITORY": "gopher://host/x"], "unknown scheme gopher"),
            (["REPOSITORY": "https:///x"], "names no host"),
            (["REPOSITORY": "ssh://git:secret@host/x"], "over ssh has a password"),
            (["REPOSITORY": "ssh://-oProxyCommand=x/x"], "names no host"),
            (["SIDEKICK_REF": "semver:latest"], "a range of versions"),
            (["SIDEKICK_TLS_CERT_FILE": "/x"], "needs its key"),
            (["SIDEKICK_GITHUB_APP_ID": "1"], "give all three"),
            (["SIDEKICK_REFF": "x"], "did you mean SIDEKICK_REF?"),
            (["SIDEKICK_LAYOUT": "links"], "SIDEKICK_LAYOUT is \"links\": give auto, link, exchange, folder"),
            (["SIDEKICK_SUBDIRECTORY": "a/../../b"], "SIDEKICK_SUBDIRECTORY"),
            (["SIDEKICK_REF": "--upload-pack=x"], "SIDEKICK_REF"),
            (["SIDEKICK_MAX_SIZE": "lots"], "SIDEKICK_MAX_SIZE is \"lots\": give bytes"),
            (["SIDEKICK_PASSWORD": "a", "SIDEKICK_PASSWORD_FILE": "b"], "give one of them"),
        ] {
            let result = try await Sidekick.once([], environment: good.merging(change) { $1 })
            #expect(result.status == 64, "\(change): \(result.log)")
            #expect(result.log.contains(words), "\(change): \(result.log)")
        }
        #expect(try folder.snapshot().isEmpty)
    }

    /// By a value that each refuses, so that a flag that leads nowhere is found.
    @Test func `every flag arrives`() async throws {
        for setting in Setting.all {
            guard let flag = setting.flag else { continue }
            let source = try GitRepository()
            try source.commit(["index.html": "one"])
            let folder = try TemporaryFolder()
            let others = [Setting.repository: source.path, .destination: folder("www")].filter { $0.key != setting }
                .flatMap { ["--\($0.key.flag ?? "")", $0.value] }
            if setting.kind == .toggle {
                // It takes no value that could be refused: what it does shows that it is there.
                #expect(setting == .fastForwardOnly)
                #expect(try await Sidekick.once(others).status == 0)
                try source.git("commit", "-q", "--amend", "--allow-empty", "-m", "rewritten")
                let result = try await Sidekick.once(others + ["--\(flag)"])
                #expect(result.status == 65 && result.log.contains("rewritten"), "--\(flag): \(result.log)")
                continue
            }
            let bad = setting.kind == .patterns ? "!" : [.beforePublish, .onPublish].contains(setting) ? "[" : "a\u{1}"
            let result = try await Sidekick.once(others + ["--\(flag)", bad])
            #expect(result.status == 64 && result.log.contains("\(setting.name) "), "--\(flag): \(result.log)")
            #expect(!folder.has("www"))
        }
    }

    /// As files of variables, Secrets of Kubernetes and shells deliver them.
    @Test func `an end of line belongs to no value, quotes and blanks around one are told`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let (branch, folder) = ("main", try TemporaryFolder())
        let good = [
            "REPOSITORY": source.path, "DESTINATION": folder("www"), "DELAY": "60", "SIDEKICK_REF": branch,
            "SIDEKICK_SUBDIRECTORY": ".", "SIDEKICK_LAYOUT": "link", "SIDEKICK_USERNAME": "reader",
            "SIDEKICK_PASSWORD": "s3cr3t",
        ]
        for (name, value) in good {
            for end in ["\n", "\r\n", "\n\n"] {
                let result = try await Sidekick.once([], environment: good.merging([name: value + end]) { $1 })
                #expect(result.status == 0, "\(name): \(result.log)")
            }
            guard name != "SIDEKICK_PASSWORD" else { continue }
            for (odd, words) in [
                ("\"\(value)\"", "quotes around it"), ("'\(value)'", "quotes around it"),
                (" \(value)", "a blank at an end"),
                ("\(value) ", "a blank at an end"), ("\(value)\n\(value)", "in one line"),
                ("\t\(value)", "in one line"),
            ] {
                let result = try await Sidekick.once([], environment: good.merging([name: odd]) { $1 })
                #expect(result.status == 64, "\(name): \(result.log)")
                #expect(result.log.contains("\(name) has") && result.log.contains(words), "\(name): \(result.log)")
                let isShown = result.log.contains(value)
                #expect(words.contains("line") || isShown == (name != "REPOSITORY"), "\(name): \(result.log)")
            }
        }
        // Nothing was made in the folder of whoever started it.
        #expect(try folder.snapshot().keys.allSatisfy { $0.hasPrefix("www") || $0.hasPrefix(".sidekick") })
    }

    @Test func `what Kubernetes injects for a Service is ignored, another unknown name is a warning`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let result = try await Sidekick.once(
            [source.path, folder("www")],
            environment: [
                "SIDEKICK_SERVICE_HOST": "10.0.0.1", "SIDEKICK_PORT": "tcp://10.0.0.1:80",
                "SIDEKICK_PORT_80_TCP_ADDR": "10.0.0.1", "SIDEKICK_SERVICE_PORT_HTTP": "80",
                "SIDEKICK_FROM_THE_FUTURE": "1",
            ])
        #expect(result.status == 0, "\(result.log)")
        #expect(result.log.contains("SIDEKICK_FROM_THE_FUTURE"))
        #expect(!result.log.contains("10.0.0.1") && !result.log.contains("SERVICE_HOST"))
    }

    @Test func `a password in an argument is refused and not repeated`() async throws {
        let folder = try TemporaryFolder()
        let result = try await Sidekick.once(["https://user:hunter2@host/site.git", folder("www")])
        #expect(result.status == 64)
        #expect(result.log.contains("every user of this machine can read"))
        #expect(!result.log.contains("hunter2"))
    }

    @Test func `repositories that cannot be published say why, with their exit status`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        let empty = try GitRepository()
        let (emptyFolder, emptyBare) = try empty.bareClone()
        defer { withExtendedLifetime(emptyFolder) {} }
        try Command.run(["cp", "-a", emptyBare, remote.folder("empty.git")])
        for (arguments, status, words) in [
            ([remote.folder("missing.git")], 69, "there is no repository at"),
            ([remote.url().replacingOccurrences(of: "site", with: "missing")], 69, "there is no repository at"),
            ([empty.path], 65, "has no commits"),
            ([remote.url().replacingOccurrences(of: "site", with: "empty")], 65, "has no commits"),
            ([remote.url(), "--ref", "gone"], 65, "has no branch, tag or commit gone"),
            ([remote.bare, "--ref", "gone"], 65, "has no branch, tag or commit gone"),
            ([remote.bare, "--ref", String(repeating: "1", count: 40)], 65, "has no branch, tag or commit 1111"),
            ([remote.url(), "--ref", String(repeating: "1", count: 40)], 65, "has no branch, tag or commit 1111"),
            ([remote.bare, "--subdirectory", "nowhere"], 65, "has no folder nowhere"),
            ([remote.bare, "--subdirectory", "index.html"], 65, "is a file and no folder"),
            (["http://127.0.0.1:\(try freePort())/x.git"], 69, "cannot connect to 127.0.0.1"),
            (["http://no-such-host.invalid/x.git"], 69, "cannot be resolved"),
            ([remote.bare, "--max-files", "0"], 65, "SIDEKICK_MAX_FILES allows 0"),
        ] as [([String], Int32, String)] {
            let folder = try TemporaryFolder()
            let result = try await Sidekick.once([arguments[0], folder("www")] + arguments.dropFirst())
            #expect(result.status == status, "\(arguments): \(result.log)")
            #expect(result.log.contains(words), "\(arguments): \(result.log)")
            #expect(result.log.contains("remedy="), "\(arguments)")
            #expect(!folder.has("www"))
        }
    }

    @Test func `hostile trees are refused with their path, and links that lead out are left out`() async throws {
        func hostile(_ make: (GitRepository) throws -> String) throws -> GitRepository {
            let source = try GitRepository()
            _ = try make(source)
            return source
        }
        let git = try hostile { try $0.commit(rows: [("100644", ".GIT", $0.blob("x"))]) }
        let above = try hostile { try $0.commit(rows: [("100644", "..", $0.blob("x"))]) }
        let twice = try hostile { try $0.commit(rows: [("100644", "a", $0.blob("x")), ("100644", "a", $0.blob("y"))]) }
        let bomb = try hostile { source in
            var tree = try source.git("mktree", input: Data("100644 blob \(source.blob("x"))\tf\n".utf8))
            for _ in 0..<10 {
                let rows = (0..<10).map { "040000 tree \(tree)\t\($0)\n" }.joined()
                tree = try source.git("mktree", input: Data(rows.utf8))
            }
            return try source.commit(tree: tree)
        }
        for (source, words) in [
            (git, "git's own, .git: .GIT"), (above, "this folder or the one above"), (twice, "the name a twice"),
            (bomb, "SIDEKICK_MAX_FILES"),
        ] {
            let folder = try TemporaryFolder()
            let result = try await Sidekick.once([source.path, folder("www"), "--max-files", "20000"])
            #expect(result.status == 65, "\(words): \(result.log)")
            #expect(result.log.contains(words) && result.log.contains("remedy="), "\(result.log)")
            #expect(!folder.has("www"))
            #expect(try folder.snapshot(".sidekick/www/trees").isEmpty, "\(words): nothing half-done")
        }

        let links = try GitRepository()
        symlink("../../etc/passwd", links.folder("out"))
        symlink("index.html", links.folder("in"))
        try links.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        let skipped = try await Sidekick.once([links.path, folder("www")])
        #expect(skipped.status == 0 && skipped.log.contains("out -> ../../etc/passwd"), "\(skipped.log)")
        #expect(!folder.has("www/out") && folder.has("www/in"))
        let refused = try await Sidekick.once([links.path, folder("www"), "--symlinks", "refuse"])
        #expect(refused.status == 65 && refused.log.contains("leads out of the tree"), "\(refused.log)")
        #expect(folder.has("www/in"))
    }

    @Test func `a branch that vanishes leaves the site up`() async throws {
        let remote = try await HTTPRemote(["index.html": "one"])
        try remote.push(["index.html": "topic"], branch: "topic")
        let folder = try TemporaryFolder()
        #expect(try await Sidekick.once([remote.url(), folder("www"), "--ref", "topic"]).status == 0)
        try remote.source.git("push", "-q", "origin", ":topic")
        let result = try await Sidekick.once([remote.url(), folder("www"), "--ref", "topic"])
        #expect(result.status == 65)
        #expect(try folder.read("www/index.html") == "topic")
    }

    @Test func `a DESTINATION that cannot be used is told apart from a pass that failed`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        try folder.write("a file", to: "file")
        let file = try await Sidekick.once([source.path, folder("file")])
        #expect(file.status == 73, "\(file.log)")
        #expect(file.log.contains("it is a file"))
        #expect(try folder.read("file") == "a file")

        let first = try Sidekick([source.path, folder("www"), "--delay", "1h"])
        try await first.prints("published")
        let second = try await Sidekick.once(
            [source.path, folder("www")], environment: SystemCall.environment,
            wrapper: ["strace", "-f", "-o", folder("closed"), "-e", "trace=close"])
        #expect(second.status == 75, "\(second.log)")
        // What is closed twice may be somebody else's the second time.
        #expect(try folder.read("closed").firstMatch(of: /close\(\d+\) += -1 EBADF/) == nil)
        #expect(second.log.contains("another sidekick") && second.log.contains("\(first.pid)"))
        #expect(try await first.stop() == 0)
    }

    @Test(.enabled(if: geteuid() == 0, "running as another user needs root"))
    func `another user publishes where it may, and is told what to change where it may not`() async throws {
        let source = try GitRepository()
        try source.commit(["index.html": "one"])
        let folder = try TemporaryFolder()
        // The binary may lie where nobody may look.
        let environment = ["SIDEKICK_TEST": "", "HOME": "/nonexistent"]
        let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        try Command.run(["cp", Sidekick.binary, folder("sidekick")])
        chmod(folder("sidekick"), 0o755)
        func run(_ destination: String) throws -> Command.Result {
            try Command.run(
                nobody + [folder("sidekick"), source.path, destination, "--once"],
                environment: environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }, mayFail: true)
        }
        let refused = try run(folder("www"))
        #expect(refused.status == 73, "\(refused.error)")
        #expect(refused.error.contains("uid 65534") && refused.error.contains("Permission denied"))
        try FileManager.default.createDirectory(atPath: folder("open"), withIntermediateDirectories: false)
        chown(folder("open"), 65534, 65534)
        let worked = try run(folder("open/www"))
        #expect(worked.status == 0, "\(worked.error)")
        // A folder of its own below one where it may not write: the state goes inside.
        try FileManager.default.createDirectory(atPath: folder("closed/www"), withIntermediateDirectories: true)
        chown(folder("closed/www"), 65534, 65534)
        let inside = try run(folder("closed/www"))
        #expect(inside.status == 0, "\(inside.error)")
        #expect(folder.has("closed/www/.sidekick/record") && folder.has("closed/www/index.html"))
        // Below a tree that is not writable at all.
        let readOnly = try run("/proc/www")
        #expect(readOnly.status == 73 || readOnly.status == 74, "\(readOnly.error)")
    }
}
