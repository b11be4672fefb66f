import Glibc
import Platform

/// What a start would find at a DESTINATION.
public struct DestinationLook: Sendable {
    /// DESTINATION, absolute.
    public let path: String
    /// How a tree would be shown there.
    public let layout: LayoutKind
    /// Whether a process publishes there, and which, where that can be told.
    public let isOwned: Bool
    /// Its process id.
    public let owner: Int32?
    /// Bytes that are free there for this user.
    public let free: Int64
    /// Where everything is; `nil` while the folder above is not there, which a start makes.
    public let destination: Destination?
}

extension Publisher {
    /// Looks at what `open` would find. Nothing is made, written or locked.
    ///
    /// - Throws: what `open` would, and what each publish would then: `PublishingError`, `DiskError`.
    public static func look(at given: String, state: String?, options: PublishingOptions) throws -> DestinationLook {
        let path = given.hasPrefix("/") ? given : try Destination.workingFolder(for: given) + "/" + given
        let parts = path.parts(at: "/", leavingOutEmpty: true)
        let above = "/" + parts.dropLast().joined(separator: "/")
        guard try FileStatus.of(above) != nil else {
            // The nearest folder that there is has to let the others be made.
            var near = parts.dropLast()
            while try FileStatus.of("/" + near.joined(separator: "/")) == nil { near.removeLast() }
            let free = try writable("/" + near.joined(separator: "/"))
            return DestinationLook(
                path: path, layout: options.layout ?? .link, isOwned: false, owner: nil, free: free, destination: nil)
        }
        let destination = try Destination(given, state: state)
        try destination.checkFormats()
        let visible = (try? destination.visible(in: TreePool(destination)))??.record
        let options = options.inheriting(from: visible?.recipe)
        let layout = try (options.layout ?? destination.automaticLayout()).layout(of: destination, options)
        if [.file, .other].contains(try FileStatus.of(destination.path)?.kind) { throw destination.notAFolder }
        try layout.checkDestination()
        try layout.checkShowing()
        try destination.checkOwners()
        try destination.checkStore()
        let isOwned = try destination.isOwned
        var free = Int64.max
        for folder in Set([destination.volumeFolder, destination.stateFolder, destination.path]) {
            var near = folder
            while try FileStatus.of(near) == nil { near = String(near[..<near.lastIndex(of: "/")!]) }
            // A link of ours is replaced by way of its folder.
            if try FileStatus.of(near)?.kind != .folder { near = destination.parent }
            free = min(free, try writable(near.isEmpty ? "/" : near))
        }
        return DestinationLook(
            path: destination.path, layout: layout.kind, isOwned: isOwned, owner: isOwned ? destination.owner : nil,
            free: free, destination: destination)
    }

    /// - Returns: bytes that are free there.
    private static func writable(_ path: String) throws -> Int64 {
        guard access(path, W_OK | X_OK) == 0 else { throw DiskError("write into", path) }
        return try Space.free(in: Directory(opening: path)).space.bytes
    }
}
