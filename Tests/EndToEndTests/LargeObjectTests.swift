import Foundation
import TestSupport
import Testing

/// Objects of hundreds of megabytes that take few bytes on the wire. All are refused for what they are, in little memory, and
/// what is pushed on top of them is published.
@Suite struct `Objects that are far too large` {
    static let limits = ["--max-pack", "64MB", "--max-blob", "1MB", "--max-size", "10MB", "--max-files", "1000"]
    static let size = 150_000_000

    enum Kind: String, CaseIterable, Sendable {
        case message, signature, parents, tag, tree, treeBelow, zeros, blobs, delta, deltaCommit, deltaChain
    }

    /// What stands for all of a site: the commit that is named, and the pack.
    private static func script(_ kind: Kind) throws -> GitScript {
        let blob = try RawObject.blob("x")
        let tree = try RawObject.tree([RawObject.row("100644", "a", blob.id)])
        var pack = PackBytes([blob, tree])
        let header = RawObject.commitHeader(of: tree.id)
        func pointing(at bulk: BulkObject) throws -> GitScript {
            pack.add(bulk)
            return GitScript(bulk.id, pack: try pack.whole())
        }
        func holding(_ root: RawID) throws -> GitScript {
            let commit = try RawObject.commit(of: root)
            pack.add(commit)
            return GitScript(commit.id, pack: try pack.whole())
        }
        func filler(_ text: String) -> BulkObject.Part {
            .repeated(Array(text.utf8), size / text.utf8.count)
        }
        switch kind {
        case .message:
            return try pointing(at: BulkObject(.commit, [.repeated(Array(header.utf8), 1), filler("all is well\n")]))
        case .signature:
            let start = header.dropLast() + "gpgsig -----BEGIN PGP SIGNATURE-----\n"
            let end = Array(" -----END PGP SIGNATURE-----\n\nSigned\n".utf8)
            return try pointing(
                at: BulkObject(.commit, [.repeated(Array(start.utf8), 1), filler(" abcdefgh\n"), .repeated(end, 1)]))
        case .parents:
            let (first, rest) = ("tree \(tree.id)\n", header.drop { $0 != "\n" }.dropFirst())
            return try pointing(
                at: BulkObject(
                    .commit,
                    [
                        .repeated(Array(first.utf8), 1), filler("parent \(RawID.unknown(1))\n"),
                        .repeated(Array(rest.utf8), 1),
                    ]))
        case .tag:
            let commit = try RawObject.commit(of: tree.id)
            pack.add(commit)
            let header = Array(RawObject.tagHeader(of: commit.id).utf8)
            return try pointing(at: BulkObject(.tag, [.repeated(header, 1), filler("all is well\n")]))
        case .tree, .treeBelow:
            let bulk = try Self.rows.get()
            pack.add(bulk)
            if kind == .tree { return try holding(bulk.id) }
            let root = try RawObject.tree([RawObject.row("40000", "folder", bulk.id)])
            pack.add(root)
            return try holding(root.id)
        case .zeros:
            let bulk = try BulkObject(.tree, [.repeated([0], size * 5 / 3)])
            pack.add(bulk)
            return try holding(bulk.id)
        case .blobs:
            pack.add(entries: try BulkObject.tinyBlobs(3_000_000), count: 3_000_000)
            return try holding(tree.id)
        case .delta, .deltaCommit, .deltaChain: return try delta(kind, &pack)
        }
    }

    /// A tree that git would have made, had somebody had so many files.
    static let rows = Result {
        try BulkObject(.tree, [.rows(1_000_000, mode: "100644", nameLength: 180, RawObject.blob("x").id)])
    }

    /// A few bytes that say how a gigabyte is made of a megabyte.
    private static func delta(_ kind: Kind, _ pack: inout PackBytes) throws -> GitScript {
        let base = try BulkObject(kind == .deltaCommit ? .commit : .blob, [.repeated([97], 1_000_000)])
        let start = pack.offset
        pack.add(base)
        let times = 1_500
        var delta = Delta(from: base.size, to: base.size * times)
        for _ in 0..<times { delta.copy(from: 0, count: base.size) }
        if kind == .deltaChain {
            // Ten times as much in each of three steps.
            var (at, size) = (start, base.size)
            for _ in 0..<3 {
                var step = Delta(from: size, to: size * 10)
                for _ in 0..<10 { step.copy(from: 0, count: size) }
                let here = pack.offset
                pack.add(step, back: here - at)
                (at, size) = (here, size * 10)
            }
        } else {
            pack.add(delta, back: pack.offset - start)
        }
        let commit = try RawObject.commit(of: RawObject.tree([RawObject.row("100644", "a", RawObject.blob("x").id)]).id)
        pack.add(commit)
        return GitScript(commit.id, pack: try pack.whole())
    }

    @Test(arguments: Kind.allCases)
    func `are refused with the bound that they break, in little memory, and the next commit is published`(kind: Kind)
        async throws
    {
        let server = try ScriptedGitServer(.http2, GitScript(RawCommit(["index.html": "one"])))
        let folder = try TemporaryFolder()
        let arguments = [server.url, folder("www")] + Self.limits
        #expect(try await Sidekick.once(arguments).status == 0)
        server.script = try Self.script(kind)
        let refused = try await Sidekick.measured(arguments, ceiling: 300)
        #expect(refused.status == 65, "\(refused)")
        #expect(refused.peak < 256, "\(refused)")
        #expect(
            refused.log.firstMatch(of: /SIDEKICK_MAX_[A-Z]+|[0-9]+ ?(bytes|kB|MB|KiB|MiB)/) != nil
                && refused.log.contains("remedy="), "\(refused)")
        #expect(try folder.read("www/index.html") == "one")
        server.script = try GitScript(RawCommit(["index.html": "two"]))
        let next = try await Sidekick.measured(arguments, ceiling: 300)
        #expect(next.status == 0 && next.peak < 256, "\(next)")
        #expect(try folder.read("www/index.html") == "two")
    }

    @Test(arguments: [ScriptedGitServer.Door.http2, .http0])
    func `do not follow a site: after a root tree of a million rows each pass is as small as before`(
        door: ScriptedGitServer.Door
    ) async throws {
        let server = try ScriptedGitServer(door, GitScript(RawCommit(["index.html": "0"])))
        let folder = try TemporaryFolder()
        let arguments = [server.url, folder("www"), "--max-files", "1000"]
        #expect(try await Sidekick.once(arguments).status == 0)
        let tree = try Self.rows.get()
        let commit = try RawObject.commit(of: tree.id)
        var pack = PackBytes([commit, try .blob("x")])
        pack.add(tree)
        server.script = GitScript(commit.id, pack: try pack.whole())
        let refused = try await Sidekick.measured(arguments)
        #expect(refused.status == 65 && refused.log.contains("SIDEKICK_MAX_FILES"), "\(refused)")
        #expect(refused.peak < 200, "\(refused)")
        for number in 1...2 {
            server.script = try GitScript(RawCommit(["index.html": "\(number)"]))
            let next = try await Sidekick.measured(arguments)
            #expect(next.status == 0 && next.peak < 200, "\(next)")
            #expect(try folder.read("www/index.html") == "\(number)")
        }
    }
}
