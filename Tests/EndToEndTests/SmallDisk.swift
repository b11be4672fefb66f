import Foundation
import TestSupport

/// A small file system in memory, in a user and mount namespace of its own: whoever may make one needs no root.
final class SmallDisk: Sendable {
    /// Where it is mounted, as the programs see it that run there.
    let path: String
    /// The same place as this process sees it.
    let folder: String
    private let point: TemporaryFolder
    private let holder: ChildProcess

    /// - Parameter options: of tmpfs(5).
    init(_ options: String = "size=10m") async throws {
        point = try TemporaryFolder()
        path = point.path
        let script = "mount -t tmpfs -o \(options) tmpfs '\(point.path)' && : > '\(point.path)/ready' && exec sleep 600"
        holder = try ChildProcess(["unshare", "-Urm", "sh", "-c", script])
        let place = "/proc/\(holder.pid)/root" + point.path
        folder = place
        try await eventually("the disk is mounted") { FileManager.default.fileExists(atPath: place + "/ready") }
        try FileManager.default.removeItem(atPath: place + "/ready")
    }

    /// Some containers allow no namespaces.
    static let mayMount = (try? Command.run(["unshare", "-Urm", "true"], mayFail: true).status) == 0

    /// Runs what follows where the disk is.
    var wrapper: [String] { ["nsenter", "-t", "\(holder.pid)", "-U", "-m", "--preserve-credentials"] }

    func callAsFunction(_ name: String) -> String { folder + "/" + name }

    /// One pass into `www`.
    func once(
        _ source: GitRepository, _ layout: String, _ arguments: String...
    ) async throws -> (status: Int32, log: String) {
        try await Sidekick.once([source.path, path + "/www", "--layout", layout] + arguments, wrapper: wrapper)
    }

    /// Bytes and inodes that are free.
    var free: (bytes: Int, inodes: Int) {
        get throws {
            var status = statvfs()
            guard statvfs(folder, &status) == 0 else { throw TestFailure("statvfs: \(errno)") }
            return (Int(status.f_bfree) * Int(status.f_frsize), Int(status.f_ffree))
        }
    }

    /// Somebody else's file, which leaves so much free.
    func fill(leaving bytes: Int) throws {
        let count = try free.bytes - bytes
        try Data(repeating: 1, count: max(count, 0)).write(to: URL(fileURLWithPath: self("filler")))
    }

    /// Somebody else's file, which takes all there is.
    func fillUp() {
        let file = open(self("filler"), O_CREAT | O_WRONLY, 0o644)
        defer { close(file) }
        let block = [UInt8](repeating: 1, count: 1 << 20)
        var count = block.count
        while count > 0 { if write(file, block, count) < count { count /= 2 } }
    }

    /// Somebody else's files, which leave so many inodes free.
    func fill(leavingInodes count: Int) throws {
        let surplus = try free.inodes - count - 1
        try FileManager.default.createDirectory(atPath: self("fillers"), withIntermediateDirectories: true)
        for number in 0..<max(surplus, 0) { close(open(self("fillers/\(number)"), O_CREAT | O_WRONLY, 0o644)) }
    }

    func clear() {
        for name in ["filler", "fillers"] { try? FileManager.default.removeItem(atPath: self(name)) }
    }

    /// The published tree. A link's own text is read: from here an absolute path leads elsewhere.
    var tree: String {
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: self("www"))
        return self(target ?? "www")
    }

    func differences(_ source: GitRepository, _ commit: String) throws -> [String] {
        try TestSupport.differences(tree, from: source.path, commit)
    }

    /// Every path below a folder of the disk, with inode, size and time.
    func snapshot(_ folder: String) -> [String: String] {
        var entries: [String: String] = [:]
        for case let entry as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
            var status = stat()
            guard lstat(folder + "/" + entry, &status) == 0 else { continue }
            entries[entry] = "\(status.st_ino) \(status.st_mode) \(status.st_size) \(status.st_mtim.tv_sec)"
        }
        return entries
    }

    /// Runs a command where the disk is.
    func run(_ command: String...) throws { try Command.run(wrapper + command) }
}
