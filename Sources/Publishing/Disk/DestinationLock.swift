import Glibc
import Platform

/// A pid file with flock(2): the right to publish into one DESTINATION, or to use one SIDEKICK_STATE: an exclusive lock that ends with the process,
/// however it ends.
final class DestinationLock: Sendable {
    private let descriptor: Int32

    /// - Parameters:
    ///   - path: of the file that is locked.
    ///   - busy: what it means that another process holds it.
    ///   - patience: how often to try, 50 ms apart: `sidekick health` holds it for a moment too.
    init(_ path: String, patience: Int = 20, busy: (_ owner: String) -> PublishingError) throws {
        // Closed by deinit from here on, also when this throws.
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw DiskError("open the lock", path) }
        var tries = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw DiskError("lock", path) }
            tries += 1
            guard tries < patience else { throw busy(Self.owner(descriptor)) }
            usleep(50_000)
        }
        fchmod(descriptor, 0o600)
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count else {
            throw DiskError("write the lock", path)
        }
    }

    /// Whether the file at its path is the one that is locked: who removes it lets another process in.
    func isAt(_ path: String) -> Bool {
        var (held, there) = (stat(), stat())
        return fstat(descriptor, &held) == 0 && lstat(path, &there) == 0 && held.st_ino == there.st_ino
            && held.st_dev == there.st_dev
    }

    deinit {
        guard descriptor >= 0 else { return }
        // A child that is being started has the descriptor too, and with it the lock, until it has become another program.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

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

    /// Root that gives an order becomes the user whose files these are: what it makes must stay theirs to change.
    public func actAsOwner() throws {
        guard geteuid() == 0, let folder = try FileStatus.of(stateFolder) else { return }
        guard folder.owner != 0 || folder.group != getegid() else { return }
        guard setegid(folder.group) == 0, seteuid(folder.owner) == 0 else {
            throw DiskError("act as the owner of", stateFolder)
        }
    }

    /// The process that holds this DESTINATION, where it can be told for certain: what it wrote into the lock may be the
    /// number that it has in a container, and somebody else's here. proc(5): `/proc/locks` has the numbers of this side.
    public var owner: Int32? {
        var status = stat()
        guard stat(lockFile, &status) == 0, let file = fopen("/proc/locks", "re") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 512)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let line = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // "1: FLOCK  ADVISORY  WRITE 412 fd:01:2359 0 EOF"
            let fields = line.split { $0 == " " || $0 == "\n" }
            guard fields.count >= 6, fields[1] == "FLOCK", fields[3] == "WRITE", let pid = pid_t(fields[4]), pid > 0,
                fields[5].parts(at: ":").last.flatMap({ UInt64($0) }) == UInt64(status.st_ino)
            else { continue }
            if Self.holds(pid, device: status.st_dev, inode: status.st_ino) { return pid }
        }
        return nil
    }

    /// Whether a process has the lock's file open.
    private static func holds(_ pid: pid_t, device: dev_t, inode: ino_t) -> Bool {
        guard let folder = opendir("/proc/\(pid)/fd") else { return false }
        defer { closedir(folder) }
        while let row = readdir(folder) {
            let name = withUnsafeBytes(of: &row.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            if stat("/proc/\(pid)/fd/\(name)", &status) == 0, status.st_dev == device, status.st_ino == inode {
                return true
            }
        }
        return false
    }
}
