import Platform
import CLinux
import FoundationEssentials
import Git
import Glibc
import Synchronization

/// Notices when a reference of a repository on this machine changes (inotify(7)): what git renames into place below `refs`, and
/// `HEAD` and `packed-refs`. It may miss one, when there are too many folders or the kernel has no more watches: passes go on
/// beside it.
final class LocalWatch: Watch, @unchecked Sendable {
    private let descriptor: Int32
    private let changed: @Sendable () -> Void
    private var reader: DescriptorReader?
    /// What is watched, by the kernel's number. Only the reader's thread touches it.
    private var folders: [Int32: (path: String, isRefs: Bool)] = [:]

    /// Branches with slashes in their names have folders of their own.
    private static let maxFolders = 1_000
    private static let events = UInt32(
        IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
    /// One command changes several files, within so many microseconds.
    private static let settling: UInt32 = 10_000
    private let over = Mutex(false)

    /// Whether it has lost sight of what it watched.
    var isOver: Bool { over.withLock { $0 } }

    /// - Parameter changed: called on a thread of its own; once for what changes together.
    init?(_ repository: borrowing Repository, changed: @escaping @Sendable () -> Void) {
        descriptor = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard descriptor >= 0 else { return nil }
        self.changed = changed
        // A work tree beside the main one has a HEAD of its own, and no references.
        for path in Set([repository.path, repository.commonPath]) { watch(path, isRefs: false) }
        watchAll(repository.commonPath + "refs")
        do {
            reader = try DescriptorReader(descriptor) { [weak self] in
                guard let self else { return false }
                guard read() else { return true }
                usleep(Self.settling)
                _ = read()
                self.changed()
                return true
            }
        } catch {
            return nil
        }
    }

    private func watch(_ path: String, isRefs: Bool) {
        guard folders.count < Self.maxFolders else { return }
        let number = inotify_add_watch(descriptor, path, Self.events)
        if number >= 0 { folders[number] = (path, isRefs) }
    }

    private func watchAll(_ path: String) {
        watch(path, isRefs: true)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        where folders.count < Self.maxFolders {
            var status = stat()
            let inner = path + "/" + name
            if lstat(inner, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { watchAll(inner) }
        }
    }

    /// - Returns: whether a reference may have changed.
    private func read() -> Bool {
        var isNews = false
        withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: MemoryLayout<inotify_event>.alignment) { buffer in
            while true {
                let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                guard count > 0 else { return }
                var offset = 0
                while offset < count {
                    let event = buffer.load(fromByteOffset: offset, as: inotify_event.self)
                    let name = buffer[(offset + MemoryLayout<inotify_event>.size)...].prefix(Int(event.len)).prefix {
                        $0 != 0
                    }
                    isNews = note(event, String(decoding: name, as: UTF8.self)) || isNews
                    offset += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
        return isNews
    }

    /// - Returns: whether a reference may have changed.
    private func note(_ event: inotify_event, _ name: String) -> Bool {
        // So much happened that some of it was not told.
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 {
            over.withLock { $0 = true }
            return true
        }
        guard let folder = folders[event.wd] else { return false }
        if event.mask & UInt32(IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF) != 0 {
            folders[event.wd] = nil
            // git removes the empty folders of branches; the repository itself is replaced.
            guard !folder.isRefs || folder.path.hasSuffix("/refs") else { return false }
            over.withLock { $0 = true }
            return true
        }
        guard folder.isRefs else { return name == "HEAD" || name == "packed-refs" }
        if event.mask & UInt32(IN_ISDIR) != 0 {
            // What is in it by now was not told.
            if event.mask & UInt32(IN_CREATE | IN_MOVED_TO) != 0 { watchAll(folder.path + "/" + name) }
            return true
        }
        return !name.hasSuffix(".lock") && event.mask & UInt32(IN_CREATE) == 0
    }
}
