import Platform

/// How far a transfer is.
public struct TransferProgress: Sendable, Equatable {
    /// Objects that arrived.
    public var receivedObjects: Int
    /// Objects that the pack holds; 0 while unknown.
    public var totalObjects: Int
    /// Bytes of pack that arrived.
    public var receivedBytes: Int

    /// Makes a report.
    public init(receivedObjects: Int, totalObjects: Int, receivedBytes: Int) {
        self.receivedObjects = receivedObjects
        self.totalObjects = totalObjects
        self.receivedBytes = receivedBytes
    }
}

/// Takes a pack as it arrives and makes an indexed pack file of it, as git-index-pack(1) does with `--fix-thin`. Nothing of it is
/// visible before the commit at the end. Objects are named with libgit2's look for collisions.
final class PackIndexer {
    private let folder: String
    private let bases: PackBases
    private let file: NewFile
    private let parser: PackParser

    /// Objects of which all bytes are here.
    var receivedObjects: Int { parser.entries.count }
    var totalObjects: Int { parser.total }

    /// The partial pack is removed when the last reference to this goes before `commit` was called.
    ///
    /// - Parameter repository: where the bases of a thin pack are.
    init(in folder: String, completingFrom repository: borrowing Repository) throws(GitError) {
        (self.folder, bases) = (folder, try PackBases(repository))
        file = try NewFile(folder + "/incoming.pack")
        parser = try PackParser()
    }

    /// Takes the next bytes.
    ///
    /// - Throws: `GitError` for what is no pack, an object that is larger than it may be, a disk that refuses; `CancellationError`.
    func append(_ data: UnsafeRawBufferPointer) throws {
        try Task.checkCancellation()
        try file.append(data)
        try parser.append(data)
    }

    /// Checks the whole pack and gives it its name.
    func commit() throws {
        try Task.checkCancellation()
        var pack = try parser.finish()
        if !pack.deltas.isEmpty {
            let resolution = try DeltaResolution(of: pack, in: try file.reading())
            try resolution.run()
            if try resolution.complete(from: bases, appendingTo: file) {
                pack.checksum = try file.completePack(count: resolution.pack.entries.count)
            }
            pack.entries = resolution.pack.entries
        }
        let index = try NewFile(folder + "/incoming.idx")
        try PackIndexFile.write(pack, to: index)
        let name = folder + "/pack-" + pack.checksum.map { UInt8($0).hexadecimal }.joined()
        try file.finish(as: name + ".pack")
        // With it the pack can be seen.
        try index.finish(as: name + ".idx")
    }
}

extension UInt8 {
    fileprivate var hexadecimal: String {
        let digits = Array("0123456789abcdef")
        return String([digits[Int(self >> 4)], digits[Int(self & 15)]])
    }
}
