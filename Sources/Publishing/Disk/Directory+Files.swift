import Content
import Git
import Glibc
import Platform

extension Directory {
    /// A new file of these bytes under a name that must be free: complete, with its mode and time, before this returns.
    ///
    /// - Parameters:
    ///   - mtime: seconds since 1970; `nil` leaves the present.
    ///   - durable: whether its bytes are on the disk when this returns.
    func create(
        _ name: EntryName, bytes: UnsafeRawBufferPointer, mode: mode_t, mtime: Int64? = nil, durable: Bool
    ) throws -> FileStatus {
        try create(name, mode: mode, mtime: mtime, durable: durable) { try $0(bytes) }
    }

    /// The same of bytes that come piece by piece.
    ///
    /// - Parameter pieces: is given what takes each of them.
    func create(
        _ name: EntryName, mode: mode_t, mtime: Int64? = nil, durable: Bool,
        pieces: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws -> FileStatus {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = name.withCString { openat(descriptor, $0, flags, mode) }
        guard file >= 0 else { throw DiskError("create", pathOf(name)) }
        defer { close(file) }
        do {
            try pieces { try write($0, to: file, name) }
            return try complete(file, name, mode: mode, mtime: mtime, durable: durable)
        } catch {
            // What is not whole has no name.
            _ = name.withCString { unlinkat(descriptor, $0, 0) }
            throw error
        }
    }

    private func write(_ piece: UnsafeRawBufferPointer, to file: Int32, _ name: EntryName) throws(DiskError) {
        var rest = piece
        while !rest.isEmpty {
            let count = Glibc.write(file, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw DiskError("write", pathOf(name))
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private func complete(
        _ file: Int32, _ name: EntryName, mode: mode_t, mtime: Int64?, durable: Bool
    ) throws(DiskError) -> FileStatus {
        if let mtime {
            let time = timespec(tv_sec: Int(mtime), tv_nsec: 0)
            guard futimens(file, [time, time]) == 0 else { throw DiskError("set the time of", pathOf(name)) }
        }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw DiskError("look at", pathOf(name)) }
        if status.st_mode & 0o7777 != mode {
            // Whatever the umask says.
            guard fchmod(file, mode) == 0 else { throw DiskError("set the mode of", pathOf(name)) }
            status.st_mode = status.st_mode & S_IFMT | mode
        }
        if durable {
            guard fsync(file) == 0 else { throw DiskError("sync", pathOf(name)) }
        }
        return FileStatus(status)
    }

    /// A copy of a file of any size. The new name must be free.
    ///
    /// - Parameters:
    ///   - mtime: seconds since 1970.
    ///   - durable: whether it is on the disk when this returns.
    func copyFile(
        _ name: EntryName, to folder: Directory, as newName: EntryName, mode: mode_t, mtime: Int64, durable: Bool = true
    ) throws(DiskError) {
        let source = name.withCString { openat(descriptor, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        guard source >= 0 else { throw DiskError("open", pathOf(name)) }
        defer { close(source) }
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let copy = newName.withCString { openat(folder.descriptor, $0, flags, 0o600) }
        guard copy >= 0 else { throw DiskError("create", folder.pathOf(newName)) }
        defer { close(copy) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Glibc.read(source, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw DiskError("read", pathOf(name)) }
            if count == 0 { break }
            var written = 0
            while written < count {
                let more = buffer.withUnsafeBytes { Glibc.write(copy, $0.baseAddress! + written, count - written) }
                if more < 0 && errno == EINTR { continue }
                guard more >= 0 else { throw DiskError("write", folder.pathOf(newName)) }
                written += more
            }
        }
        let time = timespec(tv_sec: Int(mtime), tv_nsec: 0)
        guard futimens(copy, [time, time]) == 0, fchmod(copy, mode) == 0, !durable || fsync(copy) == 0 else {
            throw DiskError("complete", folder.pathOf(newName))
        }
    }

    /// Replaces a small file of ours in one step: readers see all of the old or all of the new.
    func replace(_ name: EntryName, with bytes: [UInt8], mode: mode_t = 0o644) throws {
        let temporary = EntryName(".\(String(decoding: name.bytes, as: UTF8.self)).new")
        try remove(temporary)
        do {
            _ = try bytes.withUnsafeBytes { buffer in
                try create(temporary, bytes: buffer, mode: mode, durable: true)
            }
            try rename(temporary, to: self, as: name)
        } catch {
            _ = try? remove(temporary)
            throw error
        }
        try sync()
    }

    /// All bytes of a file; `nil` when it does not exist.
    func read(_ name: EntryName) throws(DiskError) -> [UInt8]? {
        let file = name.withCString { openat(descriptor, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw DiskError("open", pathOf(name))
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw DiskError("look at", pathOf(name)) }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress! + filled, $0.count - filled) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw DiskError("read", pathOf(name)) }
            if count == 0 { break }
            filled += count
        }
        return Array(bytes[..<filled])
    }

    /// Whether a name is a file with the bytes of a content. One that cannot be read (somebody else's, a bad block) is none, and
    /// one of another size is not read.
    ///
    /// - Parameter size: the content's, in bytes.
    func has(_ content: ContentID, size: Int64, at name: EntryName) throws(DiskError) -> Bool {
        guard let status = try status(name), status.kind == .file, status.size == size else { return false }
        do {
            var check = ContentCheck(content, size: size)
            guard try forEachPiece(of: name, { check.update($0) }) else { return false }
            return check.matches()
        } catch  where error.isUnreadable {
            return false
        }
    }

    /// Reads a file piece by piece.
    ///
    /// - Returns: false when it does not exist.
    private func forEachPiece(
        of name: EntryName, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(DiskError) -> Bool {
        let file = name.withCString { openat(descriptor, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        guard file >= 0 else {
            if errno == ENOENT { return false }
            throw DiskError("open", pathOf(name))
        }
        defer { close(file) }
        let code = Platform.forEachPiece(of: file, body)
        guard code == 0 else { throw DiskError("read", pathOf(name), code: code) }
        return true
    }

    /// Removes a name with all that is below it.
    func removeTree(_ name: EntryName) throws(DiskError) {
        guard let folder = try folder(name) else {
            try remove(name)
            return
        }
        for child in try folder.names() { try folder.removeTree(child) }
        try removeFolder(name)
    }

    /// The same, for as long as nothing stops it.
    ///
    /// - Returns: whether all of it is gone.
    func removeTree(_ name: EntryName, isStopped: () -> Bool) throws -> Bool {
        guard let folder = try folder(name) else {
            try remove(name)
            return true
        }
        for child in try folder.names() {
            guard !isStopped(), try folder.removeTree(child, isStopped: isStopped) else { return false }
        }
        try removeFolder(name)
        return true
    }
}
