import Git
import Synchronization

/// Our folders of a DESTINATION, made and locked: nobody else publishes there for as long as this lives.
final class OwnedGround: Sendable {
    private struct Held: Sendable {
        let path: String
        let lock: DestinationLock
    }

    private let destination: Destination
    private let locks: Mutex<[Held]>

    /// - Throws: `PublishingError` when DESTINATION cannot be used or is in use, `DiskError`.
    init(_ destination: Destination) throws {
        self.destination = destination
        locks = Mutex(try Self.take(destination))
    }

    /// Makes our folders anew when somebody has removed them: a lock that has no name any more keeps nobody out.
    ///
    /// - Returns: whether they had to be made.
    func hold() throws -> Bool {
        if locks.withLock({ $0.allSatisfy { $0.lock.isAt($0.path) } }) { return false }
        let new = try Self.take(destination)
        locks.withLock { $0 = new }
        return true
    }

    private static func take(_ destination: Destination) throws -> [Held] {
        _ = try Directory(making: destination.volumeFolder)
        try destination.checkOwners()
        let lock = try DestinationLock(destination.lockFile) { .destinationBusy(path: destination.path, owner: $0) }
        var locks = [Held(path: destination.lockFile, lock: lock)]
        _ = try Directory(making: destination.stateFolder)
        try destination.checkStore()
        if destination.stateFolder != destination.volumeFolder {
            let path = destination.stateLockFile
            let lock = try DestinationLock(path) { .stateBusy(path: destination.stateFolder, owner: $0) }
            locks.append(Held(path: path, lock: lock))
        }
        // Where the disk refuses, the next fetch does it.
        try? destination.store.claim()
        return locks
    }
}
