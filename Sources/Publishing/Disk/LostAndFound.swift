import Git
import Glibc
import Synchronization

/// Which files were kept by a copy, for as long as the process runs.
final class KeptFiles: Sendable {
    private let files = Mutex<Set<String>>([])

    private func key(_ status: FileStatus) -> String {
        "\(status.device) \(status.inode) \(status.size) \(status.mtime)"
    }
    func contains(_ status: FileStatus) -> Bool { files.withLock { $0.contains(key(status)) } }
    func insert(_ status: FileStatus) { files.withLock { _ = $0.insert(key(status)) } }
}

/// Where files go that sidekick did not write and that stood in its way: `lost+found/<time>/<their path>`, 0700.
final class LostAndFound {
    private let place: String
    private let visit: String
    private var folder: FolderCursor?
    private let kept: KeptFiles
    private(set) var notices: [Notice] = []

    /// - Parameters:
    ///   - now: seconds since 1970; it names the folder of this visit.
    ///   - kept: what was kept by copies before, so that a pass that fails again and again keeps it once.
    init(_ destination: Destination, now: Int64, remembering kept: KeptFiles = KeptFiles()) {
        self.kept = kept
        place = destination.stateFolder + "/lost+found"
        var seconds = time_t(now)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        let count = strftime(&buffer, buffer.count, "%Y%m%dT%H%M%SZ", &parts)
        visit = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Moves whatever stands at a name out of the way.
    func move(_ name: EntryName, from directory: Directory, path: TreePath) throws {
        let (folder, kept) = try place(for: path)
        do {
            try directory.rename(name, to: folder, as: kept)
        } catch  where error.code == EXDEV {
            try Self.copy(name, from: directory, to: folder, as: kept)
            try directory.removeTree(name)
        }
        note(path, folder.pathOf(kept))
    }

    /// Keeps a file or link and leaves it where it is, for something that is about to be renamed over.
    func keepCopy(of name: EntryName, in directory: Directory, path: TreePath) throws {
        guard let status = try directory.status(name), !kept.contains(status) else { return }
        let (folder, kept) = try place(for: path)
        if try !directory.link(name, to: folder, as: kept) {
            try Self.copy(name, from: directory, to: folder, as: kept)
        }
        self.kept.insert(status)
        note(path, folder.pathOf(kept))
    }

    /// What should have been kept and cannot be.
    func cannotKeep(_ path: TreePath, _ error: DiskError) {
        notices.append(.notKept(path: path, cause: "\(error)"))
    }

    /// What should have been removed and cannot be.
    func cannotRemove(_ path: String, _ error: any Error) {
        notices.append(.notRemoved(path: path, cause: "\(error)"))
    }

    /// Removes what was moved here longer ago than it is kept.
    ///
    /// - Parameters:
    ///   - seconds: how long it is kept; 0 for ever.
    ///   - now: seconds since 1970.
    /// - Returns: the seconds until there is more to remove; `nil` for nothing.
    func expire(after seconds: Double, now: Double, isStopped: () -> Bool) throws -> Double? {
        guard seconds > 0, try FileStatus.of(place) != nil else { return nil }
        let root = try Directory(opening: place)
        var (next, count): (Double?, Int) = (nil, 0)
        for name in try root.names() {
            guard !isStopped(), let status = try root.status(name) else { break }
            let rest = Double(status.mtime) / 1e9 + seconds - now
            // One of a clock that went wrong is kept as long as any.
            if rest > 0 {
                next = min(next ?? .infinity, min(rest, seconds))
                continue
            }
            // It was somebody else's, and may be of a kind that only he can remove: that keeps nothing else.
            do {
                try root.removeTree(name)
                guard try root.status(name) == nil else { throw DiskError("remove", "\(name)", code: EBUSY) }
                count += 1
            } catch {
                cannotRemove("lost+found/\(name)", error)
            }
        }
        if count > 0 { notices.append(.lostExpired(count: count)) }
        return next
    }

    private func note(_ path: TreePath, _ place: String) {
        notices.append(.movedToLostAndFound(path: path.description, to: place))
    }

    /// A free name below this visit's folder.
    private func place(for path: TreePath, fresh: Bool = true) throws(DiskError) -> (Directory, EntryName) {
        let cursor: FolderCursor
        if let folder {
            cursor = folder
        } else {
            let root = try Directory(making: place, mode: 0o700)
            var name = EntryName(visit)
            var attempt = 1
            while try root.status(name) != nil {
                attempt += 1
                name = EntryName("\(visit)-\(attempt)")
            }
            cursor = FolderCursor(root: try root.makeFolder(name, mode: 0o700))
            folder = cursor
        }
        let folder: Directory
        do {
            folder = try cursor.makeFolder(at: path.parent)
        } catch  where error.code == ENOTDIR && fresh {
            // A file was kept where a folder is needed now: that is another visit.
            self.folder = nil
            return try place(for: path, fresh: false)
        }
        var name = path.name
        var attempt = 1
        while try folder.status(name) != nil {
            attempt += 1
            name = EntryName(bytes: Array(path.name.bytes.prefix(240)) + Array(".\(attempt)".utf8))
        }
        return (folder, name)
    }

    /// Copies a file, a link or a folder with what is in it; what else there is holds no bytes to keep.
    private static func copy(
        _ name: EntryName, from directory: Directory, to target: Directory, as newName: EntryName
    ) throws {
        guard let status = try directory.status(name) else { return }
        switch status.kind {
        case .file:
            try directory.copyFile(
                name, to: target, as: newName, mode: mode_t(status.permissions), mtime: status.mtime / 1_000_000_000)
        case .link: try target.makeLink(newName, target: try directory.readLink(name) ?? [])
        case .folder:
            guard let source = try directory.folder(name) else { return }
            let copied = try target.makeFolder(newName, mode: mode_t(status.permissions) | 0o700)
            for child in try source.names() { try copy(child, from: source, to: copied, as: child) }
        case .other: break
        }
    }
}

/// What is in lost+found.
public struct Lost: Sendable, Equatable {
    /// Files and links; of more than 100,000, so many.
    public var files = 0
    /// Their bytes.
    public var bytes: Int64 = 0

    private static let most = 100_000

    init(files: Int, bytes: Int64) { (self.files, self.bytes) = (files, bytes) }

    /// Counts without reading a file; `nil` when there is nothing.
    init?(in destination: Destination, isStopped: () -> Bool) throws {
        let place = destination.stateFolder + "/lost+found"
        guard try FileStatus.of(place) != nil else { return nil }
        try count(Directory(opening: place), isStopped)
        guard files > 0 else { return nil }
    }

    private mutating func count(_ folder: Directory, _ isStopped: () -> Bool) throws {
        for name in try folder.names() {
            guard files < Self.most, !isStopped(), let status = try folder.status(name) else { return }
            if status.kind == .folder {
                if let below = try? folder.folder(name) { try count(below, isStopped) }
            } else {
                files += 1
                bytes += status.size
            }
        }
    }
}
