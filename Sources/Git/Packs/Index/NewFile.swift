import Glibc
import Platform

/// A file that is being made, under a name for that; it is removed when the last reference goes before `finish`.
final class NewFile {
    private let path: String
    private let descriptor: Int32
    private var isFinished = false
    /// Bytes so far.
    private(set) var size: UInt64 = 0

    init(_ path: String) throws(GitError) {
        self.path = path
        // As git has packs: nobody may change them.
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o444)
        guard descriptor >= 0 else { throw .disk("create", path) }
    }

    deinit {
        close(descriptor)
        if !isFinished { unlink(path) }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(GitError) {
        try write(bytes, at: size)
        size += UInt64(bytes.count)
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(GitError) {
        var written = 0
        while written < bytes.count {
            let place = off_t(offset) + off_t(written)
            let count = pwrite(descriptor, bytes.baseAddress! + written, bytes.count - written, place)
            if count < 0 && errno == EINTR { continue }
            if count == 0 { errno = ENOSPC }
            guard count > 0 else { throw .disk("write", path) }
            written += count
        }
    }

    /// The same file, to be read.
    func reading() throws(GitError) -> PackFile {
        guard let file = PackFile(path) else { throw .disk("open", path) }
        return file
    }

    /// Makes room for entries behind those of a pack: its checksum goes.
    func truncate(to end: UInt64) { size = end }

    /// Of a pack to which entries were appended: says how many there are, and puts the checksum of all behind them.
    ///
    /// - Returns: the checksum.
    func completePack(count: Int) throws -> [UInt8] {
        let number = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
        try number.withUnsafeBytes { try write($0, at: 8) }
        var hash = SHA1()
        let file = try reading()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
        defer { buffer.deallocate() }
        var place: UInt64 = 0
        while place < size {
            try Task.checkCancellation()
            let most = Int(min(size - place, UInt64(buffer.count)))
            let count = try file.read(at: place, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<most]))
            guard count > 0 else { throw IncomingPack.damage("is shorter than what was written") }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            place += UInt64(count)
        }
        let checksum = hash.digest()
        try checksum.withUnsafeBytes(append)
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw GitError.disk("write", path) }
        return checksum
    }

    /// Gives it its name, once it is on the disk.
    func finish(as name: String) throws(GitError) {
        guard fsync(descriptor) == 0 else { throw .disk("sync", path) }
        guard rename(path, name) == 0 else { throw .disk("rename", path) }
        isFinished = true
    }
}
