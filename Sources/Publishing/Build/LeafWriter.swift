import Content
import Git
import Glibc

/// Makes files and links, as several threads do it at a time: together they have no more of blobs in memory than one alone.
struct LeafWriter: Sendable {
    /// Whether each file is on the disk before the next is begun.
    let durable: Bool
    private let budget: BlobBudget

    init(durable: Bool, limits: Limits) {
        self.durable = durable
        budget = BlobBudget(limits.blob)
    }

    /// - Parameters:
    ///   - name: a free one.
    ///   - mtime: seconds since 1970.
    func writeFile(
        _ leaf: Leaf, as name: EntryName, in folder: Directory, mtime: Int64, from contents: borrowing Contents,
        _ output: inout TreeBuild.Output
    ) throws -> RecordedEntry {
        guard let isExecutable = leaf.isExecutable else { throw DiskError("write", folder.pathOf(name), code: EINVAL) }
        var isPointer = false
        func write(_ contents: borrowing Contents) throws -> RecordedEntry {
            let status = try folder.create(
                name, mode: FileModes.file(isExecutable: isExecutable), mtime: mtime, durable: durable
            ) { write in
                try contents.read(leaf.content) { piece in
                    isPointer = Self.isLFSPointer(piece)
                    try write(piece)
                }
            }
            return RecordedEntry(leaf, status)
        }
        let size = try leaf.size ?? contents.size(of: leaf.content)
        let row: RecordedEntry
        do {
            row = try budget.withRoom(for: size) { try write(contents) }
        } catch let error as GitError where error.exceeded?.kind == .memory {
            row = try budget.alone { try write(contents) }
        }
        output.filesWritten += 1
        output.bytesWritten += row.size
        if isPointer { output.lfsPointers += 1 }
        return row
    }

    func makeLink(
        _ leaf: Leaf, as name: EntryName, in folder: Directory, from contents: borrowing Contents
    ) throws -> RecordedEntry {
        try folder.makeLink(name, target: try contents.bytes(of: leaf.content))
        guard let status = try folder.status(name) else {
            throw DiskError("look at", folder.pathOf(name), code: ENOENT)
        }
        return RecordedEntry(leaf, status)
    }

    /// The Git LFS specification: a pointer is under 1,024 bytes and begins with its version line.
    private static func isLFSPointer(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count < 1024 && bytes.starts(with: "version https://git-lfs.github.com/spec/v".utf8)
    }
}
