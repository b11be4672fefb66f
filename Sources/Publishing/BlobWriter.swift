import Git
import Glibc

/// Makes files of blobs, and counts what it made.
struct BlobWriter {
    /// Whether each file is on the disk before the next is begun.
    let durable: Bool
    private(set) var filesWritten = 0
    private(set) var bytesWritten: Int64 = 0
    private(set) var lfsPointers = 0

    init(durable: Bool) { self.durable = durable }

    static func mode(_ executable: Bool) -> mode_t { executable ? 0o755 : 0o644 }

    /// A new file under a free name. Checks for cancellation, so that a pass ends between two files.
    mutating func write(
        _ entry: TreeEntry, as name: EntryName, in folder: Directory, mtime: Int64,
        from repository: borrowing Repository
    ) throws -> RecordedEntry {
        guard case .file(let executable) = entry.kind else {
            throw DiskError("write", folder.pathOf(name), code: EINVAL)
        }
        try Task.checkCancellation()
        let durable = durable
        let (status, isPointer) = try repository.withBlob(entry.id) { bytes in
            let status = try folder.create(
                name, bytes: bytes, mode: Self.mode(executable), mtime: mtime, durable: durable)
            return (status, Self.isLFSPointer(bytes))
        }
        filesWritten += 1
        bytesWritten += status.size
        if isPointer { lfsPointers += 1 }
        return RecordedEntry(entry, status)
    }

    /// The Git LFS specification: a pointer is under 1,024 bytes and begins with its version line.
    private static func isLFSPointer(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count < 1024 && bytes.starts(with: "version https://git-lfs.github.com/spec/v".utf8)
    }
}
