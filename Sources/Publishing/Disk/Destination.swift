import CLinux
public import Git
import Glibc
import Platform

/// Where everything is: DESTINATION, and the folders beside or inside it that are ours.
public struct Destination: Sendable {
    /// DESTINATION, absolute, its parents resolved.
    public let path: String
    /// The folder that holds it, resolved.
    let parent: String
    /// Its name there.
    let name: EntryName
    /// Trees, staging, records and the lock: always on DESTINATION's volume.
    let volumeFolder: String
    /// The git store, the status and lost+found.
    public let stateFolder: String
    /// Whether `volumeFolder` is inside DESTINATION, because its parent is another mount or may not be written.
    let isVolumeFolderInside: Bool

    /// The bare repository.
    public var store: Store { Store(path: stateFolder + "/git") }
    /// Objects of Git LFS, on the volume of the trees that have their files.
    public var lfs: LFSStore { LFSStore(path: volumeFolder + "/lfs") }
    /// The file that `sidekick status` and `sidekick health` read.
    public var statusFile: String { stateFolder + "/status.json" }
    /// The lock that the one owner of DESTINATION holds.
    public var lockFile: String { volumeFolder + "/lock" }

    /// Decides where things are. Nothing is made but the folders above DESTINATION.
    ///
    /// - Parameter state: SIDEKICK_STATE; `nil` is the place beside or inside DESTINATION.
    public init(_ given: String, state: String?) throws {
        let absolute = try Self.absolute(given)
        var components = absolute.parts(at: "/", leavingOutEmpty: true).map(String.init)
        if components.last == "." || components.last == ".." {
            guard let resolved = Self.resolved(absolute) else { throw DiskError("look at", absolute, code: ENOENT) }
            components = resolved.parts(at: "/", leavingOutEmpty: true).map(String.init)
        }
        guard let name = components.popLast() else {
            throw PublishingError.destinationUnusable(
                path: given, reason: "it is the root of the file system", remedy: "name a folder below it")
        }
        let above = "/" + components.joined(separator: "/")
        if Self.resolved(above) == nil { _ = try Directory(making: above) }
        guard let parent = Self.resolved(above) else { throw DiskError("look at", above) }
        self.parent = parent
        self.name = EntryName(name)
        path = (parent == "/" ? "" : parent) + "/" + name
        let beside = (parent == "/" ? "" : parent) + "/.sidekick/" + name
        let inside = path + "/.sidekick"
        isVolumeFolderInside = try Self.mustBeInside(path: path, parent: parent, inside: inside, beside: beside)
        volumeFolder = isVolumeFolderInside ? inside : beside
        stateFolder = try state.map(Self.absolute) ?? volumeFolder
    }

    var notAFolder: PublishingError {
        .destinationUnusable(
            path: path, reason: "it is a file",
            remedy: "move it away, or name another DESTINATION: a folder, or a new name")
    }

    /// The lock of a state folder that is not that of DESTINATION.
    var stateLockFile: String { stateFolder + "/sidekick.lock" }

    /// What stands where the git store belongs is ours in a folder that is ours by its name or in which our lock is, however little
    /// somebody has left of it. In another one, which SIDEKICK_STATE names and which others may share, it has to say so.
    func checkStore() throws {
        guard stateFolder != volumeFolder, try FileStatus.of(stateLockFile) == nil, !store.hasOwnershipMark else {
            return
        }
        throw PublishingError.destinationUnusable(
            path: path, reason: "\(store.path), where the git store belongs, is something else",
            remedy: "set SIDEKICK_STATE to a folder that holds nothing else")
    }

    /// Whoever owns a folder may put another one in its place: of ours, nobody may but we, root, and those of a group of ours whom
    /// its mode lets in, as an image's any uid of group 0.
    func checkOwners() throws {
        var folders = [volumeFolder, stateFolder]
        if !isVolumeFolderInside { folders.append((parent == "/" ? "" : parent) + "/.sidekick") }
        for folder in folders {
            guard let status = try FileStatus.of(folder), status.owner != 0, status.owner != geteuid() else { continue }
            let isShared = status.permissions & 0o020 != 0 && status.permissions & 0o002 == 0
            if isShared, Self.groups.contains(status.group) { continue }
            throw PublishingError.destinationUnusable(
                path: path, reason: "\(folder) belongs to uid \(status.owner), who could put another site in its place",
                remedy:
                    "as root, chown -R \(geteuid()) \(folder); or run this as uid \(status.owner), or give a DESTINATION in a folder of its own"
            )
        }
    }

    private static var groups: [UInt32] {
        var groups = [gid_t](repeating: 0, count: 256)
        let count = getgroups(Int32(groups.count), &groups)
        return [getegid()] + groups.prefix(Int(max(count, 0)))
    }

    var isMountPoint: Bool { sidekick_is_mount_root(path) == 1 }

    private static func mustBeInside(
        path: String, parent: String, inside: String, beside: String
    ) throws -> Bool {
        guard let status = try FileStatus.of(path), status.kind == .folder else { return false }
        // Where it was is where it stays, whoever may write the parent today: two places would be two locks.
        if try FileStatus.of(inside + "/lock") != nil { return true }
        if try FileStatus.of(beside + "/lock") != nil { return false }
        let mount = sidekick_is_mount_root(path)
        if mount == 1 { return true }
        if mount < 0, let above = try FileStatus.of(parent), above.device != status.device { return true }
        return access(parent, W_OK) != 0 && access(path, W_OK) == 0
    }

    private static func absolute(_ path: String) throws -> String {
        path.hasPrefix("/") ? path : try workingFolder(for: path) + "/" + path
    }

    static func workingFolder(for path: String) throws -> String {
        guard let current = getcwd(nil, 0) else { throw DiskError("find the working folder for", path) }
        defer { free(current) }
        return String(cString: current)
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
