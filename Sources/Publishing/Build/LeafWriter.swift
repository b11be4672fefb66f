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
        if leaf.content.isLFS {
            return try writeObject(leaf, isExecutable, as: name, in: folder, mtime: mtime, from: contents, &output)
        }
        var isPointer = false
        let size = try leaf.size ?? contents.size(of: leaf.content)
        let row = try budget.whileReading(contents.room(for: leaf.content, size: size)) {
            let status = try folder.create(
                name, mode: FileModes.file(isExecutable: isExecutable), mtime: mtime, durable: durable
            ) { write in
                try contents.read(leaf.content, size: size) { piece in
                    if piece.count == size { isPointer = Self.isLFSPointer(piece) }
                    try write(piece)
                }
            }
            return RecordedEntry(leaf, status)
        }
        output.filesWritten += 1
        output.bytesWritten += row.size
        if isPointer { output.lfsPointers += 1 }
        return row
    }

    /// A file of Git LFS is the store's own where it may have the mode and the time, by a hard link, and else a copy.
    private func writeObject(
        _ leaf: Leaf, _ isExecutable: Bool, as name: EntryName, in folder: Directory, mtime: Int64,
        from contents: borrowing Contents, _ output: inout TreeBuild.Output
    ) throws -> RecordedEntry {
        guard case .lfs(let id) = leaf.content, let size = leaf.size else {
            throw DiskError("write", folder.pathOf(name), code: EINVAL)
        }
        let object = LFSObject(id: id, size: size)
        let mode = FileModes.file(isExecutable: isExecutable)
        var status: FileStatus?
        do {
            let isLinked =
                try object != .empty
                && contents.lfs.lend(object, mode: mode, mtime: mtime, durable: durable) {
                    try folder.link(file: $0, as: name)
                }
            status =
                try isLinked
                ? folder.status(name)
                : folder.create(name, mode: mode, mtime: mtime, durable: durable) { write in
                    try contents.read(leaf.content, size: size, write)
                }
        } catch is LFSObjectMissing {
            throw MissingObjects([MissingObjects.Place(path: leaf.path, object: object)])
        }
        guard let status else { throw DiskError("look at", folder.pathOf(name), code: ENOENT) }
        output.filesWritten += 1
        output.bytesWritten += size
        return RecordedEntry(leaf, status)
    }

    func makeLink(
        _ leaf: Leaf, as name: EntryName, in folder: Directory, from contents: borrowing Contents
    ) throws -> RecordedEntry {
        try folder.makeLink(name, target: try contents.target(of: leaf.content))
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
