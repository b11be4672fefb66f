import FoundationEssentials
import Platform

extension Repository {
    /// From so many bytes on a blob is better lent in pieces.
    public static let streamedSize: Int64 = 1 << 20

    /// Lends a blob's bytes piece by piece, in their order, where it stands whole in a pack. The difference from another blob needs
    /// that one in memory: `withBlob` does that.
    ///
    /// - Returns: `false` where it does not stand so; nothing was lent then.
    /// - Throws: `GitError`, after which nothing that was lent may be used; what `body` throws.
    public borrowing func streamBlob(
        _ id: ObjectID, size: Int64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        guard size <= ObjectLimits.current.blob, let (pack, start, head) = try wholeEntry(of: id, size: size)
        else {
            return false
        }
        var hasher = BlobHasher(size: size)
        let count = try Inflation.run(pack, from: start + UInt64(head.length), atMost: size) { piece in
            hasher.update(piece)
            try body(piece)
        }
        guard count == size, hasher.id() == id else {
            throw GitError(call: "git_odb_read", code: -1, message: "object \(id) is damaged in \(pack.path)")
        }
        return true
    }

    private func wholeEntry(
        of id: ObjectID, size: Int64
    ) throws(GitError) -> (PackFile, UInt64, PackEntryHead)? {
        let folder = commonPath + "objects/pack"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasSuffix(".idx") {
            let path = "\(folder)/\(name.dropLast(4))"
            guard let start = PackTable(path + ".idx")?.offset(of: id), let pack = PackFile(path + ".pack") else {
                continue
            }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: PackEntryHead.longest, alignment: 8)
            defer { buffer.deallocate() }
            let count = try pack.read(at: start, into: buffer)
            let head = PackEntryHead(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            if let head, head.kind == PackEntryHead.blob, head.size == UInt64(size) { return (pack, start, head) }
        }
        return nil
    }
}
