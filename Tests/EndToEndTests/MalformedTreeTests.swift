import Foundation
import TestSupport
import Testing

@Suite struct `A root tree that is malformed` {
    /// What stands in front of a repository that is pushed to.
    enum Way: String, CaseIterable, Sendable {
        case http, oldHTTP, git, path

        fileprivate func server(of folder: TemporaryFolder) async throws -> (url: String, process: AnyObject?) {
            switch self {
            case .http, .oldHTTP:
                let server = try await Nginx(gitRepositoriesIn: folder.path, version2: self == .http)
                return ("http://127.0.0.1:\(server.port)/site.git", server)
            case .git:
                let server = try await GitDaemon(repositoriesIn: folder.path)
                return ("git://127.0.0.1:\(server.port)/site.git", server)
            case .path: return (folder("site.git"), nil)
            }
        }
    }

    /// Those that git itself pushes.
    private static func pushed(_ blob: RawID) -> [[UInt8]] {
        [
            RawObject.row("100644", "a", blob) + RawObject.row("100644", "a", blob),
            RawObject.row(String(repeating: "1", count: 30), "a", blob),
        ]
    }

    @Test(arguments: Way.allCases)
    func `is refused by its name when it is pushed, the site stays, and the next push is published`(way: Way)
        async throws
    {
        let source = try GitRepository()
        try source.commit(["index.html": "0"])
        let (bareFolder, bare) = try source.bareClone()
        try source.git("remote", "add", "origin", bare)
        let server = try await way.server(of: bareFolder)
        defer { withExtendedLifetime(server.process) {} }
        let folder = try TemporaryFolder()
        let arguments = [server.url, folder("www"), "--delay", "100ms", "--backoff", "100ms"]
        let sidekick = try Sidekick(arguments)
        try await sidekick.prints("published")
        let blob = RawID(hex: try source.blob("x"))
        func push(malformed body: [UInt8]) throws -> String {
            let tree = try source.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", input: Data(body))
            let commit = try source.git("commit-tree", tree, "-m", "Malformed")
            try source.git("push", "-q", "--force", "origin", "\(commit):refs/heads/main")
            return tree
        }
        func push(text: String) throws {
            try source.commit(["index.html": text])
            try source.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main")
        }
        for (number, body) in Self.pushed(blob).enumerated() {
            let tree = try push(malformed: body)
            try await sidekick.prints("tree \(tree)", within: 5)
            #expect(try folder.read("www/index.html") == "\(number)")
            try push(text: "\(number + 1)")
            try await eventually(within: 5, "the push after \(number) shows\n\(sidekick.log)") {
                try folder.read("www/index.html") == "\(number + 1)"
            }
        }
        #expect(try await sidekick.stop() == 0)

        let tree = try push(malformed: Self.pushed(blob)[0])
        for _ in 0..<2 {
            let refused = try await Sidekick.once(arguments)
            #expect(refused.status == 65 && refused.log.contains(tree), "\(refused.log)")
            #expect(try folder.read("www/index.html") == "2")
        }
        try push(text: "3")
        let next = try await Sidekick.once(arguments)
        #expect(next.status == 0, "\(next.log)")
        #expect(try folder.read("www/index.html") == "3")
    }

    /// Those that only a server of its own kind has.
    private static func served(_ blob: RawID) -> [(name: String, body: [UInt8])] {
        [
            ("a name twice", RawObject.row("100644", "a", blob) + RawObject.row("100644", "a", blob)),
            ("no name", RawObject.row("100644", "", blob)),
            ("a mode that is no number", RawObject.row("rw-r--r--", "a", blob)),
            ("a mode of 30 digits", RawObject.row(String(repeating: "7", count: 30), "a", blob)),
            ("no mode", RawObject.row("", "a", blob)),
            ("zeros", [UInt8](repeating: 0, count: 1_000)),
            ("half a row", Array(RawObject.row("100644", "a", blob).dropLast(10))),
            ("a text", Array("hello".utf8)),
        ]
    }

    @Test(arguments: [ScriptedGitServer.Door.http2, .http0])
    func `is refused by its name when a server makes it, the site stays, and the next commit is published`(
        door: ScriptedGitServer.Door
    ) async throws {
        let server = try ScriptedGitServer(door, GitScript(RawCommit(["index.html": "0"])))
        let folder = try TemporaryFolder()
        let arguments = [server.url, folder("www")]
        #expect(try await Sidekick.once(arguments).status == 0)
        let blob = try RawObject.blob("x")
        for (number, malformed) in Self.served(blob.id).enumerated() {
            let tree = try RawObject(.tree, malformed.body)
            let commit = try RawObject.commit(of: tree.id, second: number)
            server.script = GitScript(commit.id, pack: try PackBytes([blob, tree, commit]).whole())
            let refused = try await Sidekick.once(arguments)
            #expect(refused.status == 65 && refused.log.contains("\(tree.id)"), "\(malformed.name): \(refused.log)")
            #expect(try folder.read("www/index.html") == "\(number)")
            server.script = try GitScript(RawCommit(["index.html": "\(number + 1)"]))
            let next = try await Sidekick.once(arguments)
            try #require(next.status == 0, "\(malformed.name): \(next.log)")
        }
    }
}
