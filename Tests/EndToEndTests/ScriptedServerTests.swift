import Foundation
import TestSupport
import Testing

@Suite struct `The server that is made by hand` {
    @Test(arguments: ScriptedGitServer.Door.allCases)
    func `is a git server to git, and to sidekick`(door: ScriptedGitServer.Door) async throws {
        let (first, second) = (try RawCommit(["index.html": "one"]), try RawCommit(["index.html": "two", "a": "b"]))
        let server = try ScriptedGitServer(door, GitScript(first))
        let folder = try TemporaryFolder()
        try Command.run(
            ["git", "-c", "protocol.version=\(door.isVersion2 ? 2 : 0)", "clone", "-q", server.url, folder("clone")],
            environment: GitRepository.environment())
        #expect(try folder.read("clone/index.html") == "one")
        for (commit, text) in [(first, "one"), (second, "two")] {
            server.script = try GitScript(commit)
            let pass = try await Sidekick.measured([server.url, folder("www")])
            #expect(pass.status == 0, "\(pass)")
            #expect(try folder.read("www/index.html") == text)
        }
        #expect(server.questions.contains { $0.kind == .fetch })
    }

    @Test func `packs of every kind of entry are whole to git`() async throws {
        let base = try RawObject.blob("hello world")
        var delta = Delta(from: 11, to: 9)
        delta.copy(from: 0, count: 6)
        delta.insert("git")
        let site = try RawCommit(["index.html": "one"])
        let large = try BulkObject(.blob, [.repeated(Array("abc".utf8), 1_000_000), .repeated([10], 1)])
        var pack = PackBytes(site.objects)
        let start = pack.offset
        pack.add(base)
        pack.add(delta, back: pack.offset - start)
        var other = Delta(from: 11, to: 3)
        other.insert("own")
        pack.add(other, onto: base.id)
        pack.add(large)
        let source = try GitRepository()
        try source.git("index-pack", "--stdin", "--strict", input: Data(pack.whole()))
        #expect(try source.git("cat-file", "-t", "\(site.id)") == "commit")
        for text in ["hello git", "own"] {
            #expect(try source.git("cat-file", "-p", "\(RawObject.blob(text).id)") == text)
        }
        #expect(try source.git("cat-file", "-s", "\(large.id)") == "3000001")
    }
}
