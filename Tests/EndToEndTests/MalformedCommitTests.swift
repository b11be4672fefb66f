import Foundation
import TestSupport
import Testing

/// What a branch names, and is no commit that git would make.
@Suite struct `A commit that is malformed` {
    struct Case: Sendable, CustomStringConvertible {
        let description: String
        /// What the branch names first, then what else is in the pack.
        let objects: @Sendable (_ blob: RawObject, _ tree: RawObject) throws -> [RawObject]

        init(_ name: String, _ objects: @escaping @Sendable (RawObject, RawObject) throws -> [RawObject]) {
            (description, self.objects) = (name, objects)
        }

        init(_ name: String, text: @escaping @Sendable (_ honest: String) -> String) {
            self.init(name) { _, tree in
                [try RawObject(.commit, Array(text(RawObject.commitHeader(of: tree.id) + "Message\n").utf8))]
            }
        }
    }

    private static func tag(_ id: RawID, _ type: String) throws -> RawObject {
        try RawObject(.tag, Array("object \(id)\ntype \(type)\ntag v1\n\nv1\n".utf8))
    }

    static let all = [
        Case("nothing") { _ in "" },
        Case("a text") { _ in "hello" },
        Case("no tree") { String($0.drop { $0 != "\n" }.dropFirst()) },
        Case("half a tree") { $0.replacingOccurrences(of: "tree ", with: "tree x") },
        Case("a tree that is not there") { $0.replacing(/tree [0-9a-f]+/, with: "tree \(RawID.unknown(1))") },
        Case("a parent that is no id") { $0.replacing("author", with: "parent xyz\nauthor", maxReplacements: 1) },
        Case("no author") { $0.replacing(/author .*\n/, with: "") },
        Case("no committer") { $0.replacing(/committer .*\n/, with: "") },
        Case("zeros") { _ in String(repeating: "\0", count: 500) },
        Case("a zero in the header") { $0.replacing("A <a", with: "A\0<a") },
        Case("a blob as its tree") { blob, _ in [try .commit(of: blob.id)] },
        Case("a commit as its tree") { _, tree in
            let commit = try RawObject.commit(of: tree.id)
            return [try .commit(of: commit.id, second: 1), commit]
        },
        Case("a blob") { blob, _ in [blob] },
        Case("a tree") { _, tree in [tree] },
        Case("a tag of a blob") { blob, _ in [try tag(blob.id, "blob")] },
        Case("a tag of a blob that calls it a commit") { blob, _ in [try tag(blob.id, "commit")] },
        Case("a tag of nothing") { _, _ in [try tag(.unknown(1), "commit")] },
        Case("a tag that is a text") { _, _ in [try RawObject(.tag, Array("hello".utf8))] },
        Case("a tag without a type") { _, tree in
            [try RawObject(.tag, Array("object \(tree.id)\ntag v1\n\nv1\n".utf8))]
        },
    ]

    @Test(arguments: [ScriptedGitServer.Door.http2, .git0])
    func `is refused, the site and the store stay, and the next commit is published`(door: ScriptedGitServer.Door)
        async throws
    {
        let blob = try RawObject.blob("x")
        let tree = try RawObject.tree([RawObject.row("100644", "a", blob.id)])
        let server = try ScriptedGitServer(door, GitScript(RawCommit(["index.html": "0"])))
        let folder = try TemporaryFolder()
        #expect(try await Sidekick.once([server.url, folder("www")]).status == 0)
        var (wrong, last) = ([String](), "0")
        for (number, malformed) in Self.all.enumerated() where door == .http2 || number % 4 == 0 {
            let objects = try malformed.objects(blob, tree)
            let pack = PackBytes([blob, tree].filter { $0.id != objects[0].id } + objects)
            server.script = GitScript(objects[0].id, pack: try pack.whole())
            let pass = try await Sidekick.measured([server.url, folder("www")], ceiling: 400)
            // Some of it git itself takes for a commit.
            let text = try? folder.read("www/index.html")
            if ![0, 65, 69].contains(pass.status) || (pass.status != 0 && text != last) {
                wrong.append("\(malformed): status \(pass.status), \(text ?? "no page"): \(pass.cause)")
            }
            if pass.log.contains("moved aside") || pass.log.contains("fetched anew") {
                wrong.append("\(malformed): the store is lost: \(pass.cause)")
            }
            guard number % 4 == 0 || pass.status == 0 || number == Self.all.count - 1 else { continue }
            server.script = try GitScript(RawCommit(["index.html": "\(number + 1)"]))
            let next = try await Sidekick.once([server.url, folder("www")])
            try #require(next.status == 0, "\(malformed): \(next.log)")
            last = "\(number + 1)"
        }
        #expect(wrong == [])
    }
}
