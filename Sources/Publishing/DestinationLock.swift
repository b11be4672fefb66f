import Glibc

/// The right to publish into one DESTINATION: an exclusive flock(2) that ends with the process, however it ends.
final class DestinationLock: Sendable {
    private let descriptor: Int32

    /// - Parameter patience: how often to try, 50 ms apart: `sidekick health` holds it for a moment too.
    init(_ destination: Destination, patience: Int = 20) throws {
        let path = destination.lockFile
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw DiskError("open the lock", path) }
        var tries = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                let error = DiskError("lock", path)
                close(descriptor)
                throw error
            }
            tries += 1
            guard tries < patience else {
                let owner = Self.owner(descriptor)
                close(descriptor)
                throw PublishingError.destinationBusy(path: destination.path, owner: owner)
            }
            usleep(50_000)
        }
        fchmod(descriptor, 0o600)
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count else {
            let error = DiskError("write the lock", path)
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// The process that holds a lock file, by what it wrote there.
    private static func owner(_ descriptor: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(count, 0)).filter { (48...57).contains($0) }, as: UTF8.self)
    }
}

extension Destination {
    /// Whether a sidekick holds this DESTINATION now.
    public var isOwned: Bool {
        get throws {
            let descriptor = open(lockFile, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else {
                if errno == ENOENT { return false }
                throw DiskError("open the lock", lockFile)
            }
            defer { close(descriptor) }
            return flock(descriptor, LOCK_SH | LOCK_NB) != 0
        }
    }
}
