/// What is needed of a commit object.
public struct Commit: Sendable, Equatable {
    /// Its own name.
    public let id: ObjectID
    /// The tree that it holds.
    public let tree: ObjectID
    /// The commits before it; they need not be in the same repository.
    public let parents: [ObjectID]
    /// When it was committed, in seconds since 1970 by the committer's clock: any number at all, 0 where it cannot be read.
    public let time: Int64

    /// The same commit with what was made of its tree and of those of its submodules.
    public func with(tree: ObjectID) -> Commit { Commit(id: id, tree: tree, parents: parents, time: time) }
}

extension Commit {
    /// As leniently as git reads one: a tree, then parents, in this order; of all else only the committer's time, if there is one.
    init(_ id: ObjectID, reading bytes: UnsafeRawBufferPointer) throws(GitError) {
        var headers = ObjectHeaders(bytes)
        guard let tree = headers.takeID("tree ") else { throw .malformed("commit", "commit \(id) names no tree") }
        var parents: [ObjectID] = []
        while let parent = headers.takeID("parent ") { parents.append(parent) }
        guard !headers.startsWith("parent ") else {
            throw .malformed("commit", "commit \(id) has a parent that is no id")
        }
        (self.id, self.tree, self.parents, time) = (id, tree, parents, headers.committerTime)
    }
}

/// The lines at the start of a commit or a tag.
struct ObjectHeaders {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    func startsWith(_ word: StaticString) -> Bool {
        word.withUTF8Buffer { rest.count >= $0.count && rest[..<$0.count].elementsEqual($0) }
    }

    /// A word, 40 digits and a line feed; `nil`, and nothing is taken, for anything else.
    mutating func takeID(_ word: StaticString) -> ObjectID? {
        let start = word.utf8CodeUnitCount
        guard startsWith(word), rest.count > start + 40, rest[start + 40] == 10,
            let id = ObjectID(hexDigits: rest[start..<start + 40])
        else { return nil }
        rest = UnsafeRawBufferPointer(rebasing: rest[(start + 41)...])
        return id
    }

    /// What a tag names.
    func target(of tag: ObjectID) throws(GitError) -> ObjectID {
        var headers = self
        guard let id = headers.takeID("object ") else { throw .malformed("tag", "tag \(tag) names no object") }
        return id
    }

    /// What stands behind the last `>` of the committer's line, where it is a number: names and addresses may be anything.
    var committerTime: Int64 {
        var rest = rest[...]
        while let end = rest.firstIndex(of: 10), end > rest.startIndex {
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            guard line.starts(with: "committer ".utf8) else { continue }
            guard let bracket = line.lastIndex(of: UInt8(ascii: ">")) else { return 0 }
            let digits = line[(bracket + 1)...].drop { $0 == 32 || $0 == 9 }.prefix { (48...57).contains($0) }
            return Int64(String(decoding: digits, as: UTF8.self)) ?? 0
        }
        return 0
    }
}
