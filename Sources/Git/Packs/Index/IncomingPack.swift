import CLibgit2

/// An entry of a pack that has arrived.
struct PackEntry {
    /// Where it begins.
    let start: UInt64
    /// CRC-32 of its bytes as they stand, for those who copy them.
    let checksum: UInt32
    /// As in the pack at first; of a difference that is resolved, what it is.
    var kind: UInt8
    /// Zero for a difference that is not resolved.
    var id: ObjectID
}

/// An entry that is the difference from another one.
struct PackDeltaEntry {
    enum Base {
        case offset(UInt64)
        case name(ObjectID)
    }
    let index: Int
    let base: Base
}

/// A pack of which all bytes are here.
struct IncomingPack {
    /// In the order in which they stand.
    var entries: [PackEntry] = []
    var deltas: [PackDeltaEntry] = []
    /// Where entries end, and the checksum stands.
    var end: UInt64 = 0
    /// SHA-1 of all before it.
    var checksum: [UInt8] = []
    /// Of the largest entry, inflated: an object, or a difference.
    var largest: UInt64 = 0

    static func damage(_ what: String) -> GitError {
        GitError(call: "index-pack", code: -1, message: "the pack \(what)")
    }
}

extension ObjectID {
    /// The name that git gives to an object of these bytes.
    ///
    /// - Throws: `GitError` for bytes that were made to have the name of others (SHAttered).
    init(of bytes: UnsafeRawBufferPointer, as kind: ObjectKind) throws(GitError) {
        var oid = git_oid()
        // An empty object has an address as well.
        try check("git_odb_hash") {
            git_odb_hash(&oid, bytes.baseAddress ?? Self.nothing, bytes.count, git_object_t(Int32(kind.rawValue)))
        }
        self.init(oid)
    }

    nonisolated(unsafe) private static let nothing = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))
}
