import Git
import Glibc

/// Makes files of blobs.
enum BlobWriter {
    /// The Git LFS specification: a pointer is under 1,024 bytes and begins with its version line.
    static func isLFSPointer(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count < 1024 && bytes.starts(with: "version https://git-lfs.github.com/spec/v".utf8)
    }
}

extension Repository {
    /// A new file with a blob's bytes, under a free name.
    ///
    /// - Parameters:
    ///   - mtime: seconds since 1970.
    ///   - durable: whether it is on the disk when this returns.
    borrowing func writeBlob(
        _ entry: TreeEntry, as name: EntryName, in folder: Directory, mtime: Int64, durable: Bool
    ) throws -> (row: RecordedEntry, isLFSPointer: Bool) {
        guard case .file(let executable) = entry.kind else {
            throw DiskError("write", folder.pathOf(name), code: EINVAL)
        }
        return try withBlob(entry.id) { bytes in
            let status = try folder.create(
                name, bytes: bytes, mode: FileModes.file(isExecutable: executable), mtime: mtime, durable: durable)
            return (RecordedEntry(entry, status), BlobWriter.isLFSPointer(bytes))
        }
    }
}
