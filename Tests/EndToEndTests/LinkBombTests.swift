import Foundation
import TestSupport
import Testing

@Suite struct `Links that take long to follow` {
    /// So many links in a chain, each of 4 kB, and links to the first of them, a hundred in each of a hundred folders.
    private static func commit() throws -> (id: RawID, pack: [UInt8]) {
        let detour = String(repeating: "x/../", count: 815)
        var objects: [RawObject] = []
        var rows: [[UInt8]] = []
        for number in 0..<38 {
            let next = number == 37 ? "index.html" : String(format: "link%02d", number + 1)
            let link = try RawObject.blob(detour + next)
            objects.append(link)
            rows.append(RawObject.row("120000", String(format: "link%02d", number), link.id))
        }
        let first = try RawObject.blob("../" + "link00")
        let folder = try RawObject.tree((0..<100).map { RawObject.row("120000", String(format: "%02d", $0), first.id) })
        let page = try RawObject.blob("two")
        let folders = (0..<100).map { RawObject.row("40000", String(format: "folder%02d", $0), folder.id) }
        let root = try RawObject.tree(folders + [RawObject.row("100644", "index.html", page.id)] + rows)
        let commit = try RawObject.commit(of: root.id)
        return (commit.id, try PackBytes(objects + [first, folder, page, root, commit]).whole())
    }

    @Test func `are published or refused within seconds, and the next commit is published`() async throws {
        let bomb = try Self.commit()
        let server = try ScriptedGitServer(.http2, GitScript(bomb.id, pack: bomb.pack))
        let folder = try TemporaryFolder()
        let pass = try await Sidekick.measured([server.url, folder("www")], within: 40)
        #expect([0, 65].contains(pass.status) && pass.peak < 200 * Sanitizer.toll, "\(pass)")
        #expect((try? folder.read("www/index.html")) == (pass.status == 0 ? "two" : nil))
        server.script = try GitScript(RawCommit(["index.html": "three"]))
        let next = try await Sidekick.measured([server.url, folder("www")], within: 40)
        #expect(next.status == 0, "\(next)")
        #expect(try folder.read("www/index.html") == "three")
    }
}
