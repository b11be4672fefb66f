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
        let held = locks.withLock { $0 }
        let standing = held.filter { $0.lock.isAt($0.path) }
        if standing.count == held.count { return false }
        // One that is there still is ours, and would refuse us too.
        let new = try Self.take(destination, keeping: standing)
        locks.withLock { $0 = new }
        return true
    }

    private static func take(_ destination: Destination, keeping standing: [Held] = []) throws -> [Held] {
        func lock(_ path: String, busy: (_ owner: String) -> PublishingError) throws -> Held {
            try standing.first { $0.path == path } ?? Held(path: path, lock: DestinationLock(path, busy: busy))
        }
        _ = try Directory(making: destination.volumeFolder)
        try destination.checkOwners()
        var locks = [try lock(destination.lockFile) { .destinationBusy(path: destination.path, owner: $0) }]
        _ = try Directory(making: destination.stateFolder)
        try destination.checkStore()
        if destination.stateFolder != destination.volumeFolder {
            locks.append(
                try lock(destination.stateLockFile) { .stateBusy(path: destination.stateFolder, owner: $0) })
        }
        // Where the disk refuses, the next fetch does it.
        try? destination.store.claim()
        return locks
    }
}
