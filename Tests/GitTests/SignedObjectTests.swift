import Foundation
import Git
import TestSupport
import Testing

@Suite struct `What is signed of a commit or a tag` {
    /// It is hashed for each signature that it has.
    @Test(arguments: ["commit", "tag"], [4 << 20, 4 << 20 + 1])
    func `is looked at up to 4 MiB`(kind: String, bytes: Int) throws {
        let source = try GitRepository()
        let commit = try source.commit(["a": "1"])
        let tree = try source.git("rev-parse", "HEAD^{tree}")
        let who = "T <t@example.org> 1700000000 +0000"
        var text =
            kind == "commit"
            ? "tree \(tree)\nauthor \(who)\ncommitter \(who)\n\n"
            : "object \(commit)\ntype commit\ntag v1\ntagger \(who)\n\n"
        text += String(repeating: "x", count: bytes - text.utf8.count)
        let hex = try source.git("hash-object", "-t", kind, "-w", "--stdin", input: Data(text.utf8))
        let repository = try Repository(opening: source.path)
        let id = try #require(ObjectID(hex: hex))
        func payload() throws -> Int {
            try kind == "commit" ? repository.signedCommit(id).payload.count : repository.tag(id).signed.payload.count
        }
        guard bytes > 4 << 20 else { return #expect(try payload() == bytes) }
        let error = #expect(throws: GitError.self) { try payload() }
        #expect(error?.message.contains("has \(bytes) bytes, which is too large to be signed") == true)
    }
}
