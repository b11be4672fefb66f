import Foundation
import TestSupport

/// Objects of hundreds of megabytes that take few bytes on the wire, each in all that a commit needs.
enum LargeObject: String, CaseIterable, Sendable {
    /// A commit, by one of its parts.
    case message, parents
    /// What a branch names in place of a commit.
    case tag
    /// The root, one below it, and one of bytes that are no rows.
    case tree, treeBelow, zeros
    /// A commit whose entry tells of two hundred bytes.
    case liar
    /// Three million objects that are small.
    case blobs
    /// What a megabyte becomes by a few bytes: at once, as another kind of object, step by step, and onto a file that is
    /// published already.
    case delta, deltaCommit, deltaChain, deltaThin

    private static let size = 150_000_000
    private static let megabyte = String(repeating: "a", count: 1_000_000)

    /// A tree that git would have made, had somebody had so many files.
    static let rows = Result {
        try BulkObject(.tree, [.rows(1_100_000, mode: "100644", nameLength: 180, RawObject.blob("x").id)])
    }

    /// What is published before.
    var site: RawCommit {
        get throws {
            try RawCommit(["index.html": "one"].merging(self == .deltaThin ? ["a": Self.megabyte] : [:]) { $1 })
        }
    }

    /// The commit that is named, and a pack that has it.
    func script() throws -> GitScript {
        let blob = try RawObject.blob("x")
        let tree = try RawObject.tree([RawObject.row("100644", "a", blob.id)])
        let header = RawObject.commitHeader(of: tree.id)
        var pack = PackBytes([blob, tree])
        var root = tree.id
        var named: RawID?
        func commit(_ start: some StringProtocol, _ filler: String, _ end: String = "The end\n") throws
            -> BulkObject
        {
            let middle = BulkObject.Part.repeated(Array(filler.utf8), Self.size / filler.utf8.count)
            return try BulkObject(.commit, [.repeated(Array(start.utf8), 1), middle, .repeated(Array(end.utf8), 1)])
        }
        switch self {
        case .message, .parents, .liar:
            let object =
                try self == .parents
                ? commit(header.prefix(46), "parent \(RawID.unknown(1))\n", header.dropFirst(46) + "Merge\n")
                : commit(header, "all is well\n")
            pack.add(type: object.kind.number, size: self == .liar ? 200 : object.size, deflated: object.deflated)
            named = object.id
        case .tag:
            let target = try RawObject.commit(of: tree.id)
            pack.add(target)
            let header = Array(RawObject.tagHeader(of: target.id).utf8)
            let tag = try BulkObject(
                .tag, [.repeated(header, 1), .repeated(Array("all is well\n".utf8), Self.size / 12)])
            pack.add(tag)
            named = tag.id
        case .tree, .treeBelow, .zeros:
            let object = try self == .zeros ? BulkObject(.tree, [.repeated([0], Self.size * 5 / 3)]) : Self.rows.get()
            pack.add(object)
            root = object.id
            if self == .treeBelow {
                let above = try RawObject.tree([RawObject.row("40000", "folder", object.id)])
                pack.add(above)
                root = above.id
            }
        case .blobs: pack.add(entries: try BulkObject.tinyBlobs(3_000_000), count: 3_000_000)
        case .delta, .deltaCommit, .deltaChain, .deltaThin: try addDelta(to: &pack)
        }
        if let named { return GitScript(named, pack: try pack.whole()) }
        let commit = try RawObject.commit(of: root)
        pack.add(commit)
        return GitScript(commit.id, pack: try pack.whole())
    }

    /// A gigabyte and a half, or one.
    private func addDelta(to pack: inout PackBytes) throws {
        let base = try BulkObject(self == .deltaCommit ? .commit : .blob, [.repeated([97], Self.megabyte.utf8.count)])
        var (start, size) = (pack.offset, base.size)
        if self != .deltaThin { pack.add(base) }
        for times in self == .deltaChain ? [10, 10, 10] : [1_500] {
            var delta = Delta(from: size, to: size * times)
            for _ in 0..<times { delta.copy(from: 0, count: size) }
            let here = pack.offset
            if self == .deltaThin { pack.add(delta, onto: base.id) } else { pack.add(delta, back: here - start) }
            (start, size) = (here, size * times)
        }
    }
}
