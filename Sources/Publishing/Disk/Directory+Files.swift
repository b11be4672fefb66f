import Git
import Glibc

extension Directory {
    /// A new file of these bytes under a name that must be free: complete, with its mode and time, before this returns.
    ///
    /// - Parameters:
    ///   - mtime: seconds since 1970; `nil` leaves the present.
    ///   - durable: whether its bytes are on the disk when this returns.
    func create(
        _ name: EntryName, bytes: UnsafeRawBufferPointer, mode: mode_t, mtime: Int64? = nil, durable: Bool
    ) throws(DiskError) -> FileStatus {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = name.withCString { openat(descriptor, $0, flags, mode) }
        guard file >= 0 else { throw DiskError("create", pathOf(name)) }
        defer { close(file) }
        var rest = bytes
        while !rest.isEmpty {
            let count = write(file, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw DiskError("write", pathOf(name))
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
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

    /// A copy of a file of any size, on the disk when this returns. The new name must be free.
    ///
    /// - Parameter mtime: seconds since 1970.
    func copyFile(
        _ name: EntryName, to folder: Directory, as newName: EntryName, mode: mode_t, mtime: Int64
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
                let more = buffer.withUnsafeBytes { write(copy, $0.baseAddress! + written, count - written) }
                if more < 0 && errno == EINTR { continue }
                guard more >= 0 else { throw DiskError("write", folder.pathOf(newName)) }
                written += more
            }
        }
        let time = timespec(tv_sec: Int(mtime), tv_nsec: 0)
        guard futimens(copy, [time, time]) == 0, fchmod(copy, mode) == 0, fsync(copy) == 0 else {
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

    /// Whether a name is a file with the bytes of a blob. One that cannot be read (somebody else's, a bad block) is none, and
    /// one of another size is not read: it may be larger than the memory.
    ///
    /// - Parameter size: the blob's, in bytes.
    func hasBlob(_ id: ObjectID, size: Int64, at name: EntryName) throws -> Bool {
        guard let status = try status(name), status.kind == .file, status.size == size else { return false }
        do {
            guard let bytes = try read(name) else { return false }
            return try bytes.withUnsafeBytes { try ObjectID(hashing: $0) } == id
        } catch let error as DiskError where error.isUnreadable {
            return false
        }
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
