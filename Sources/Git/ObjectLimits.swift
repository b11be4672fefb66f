import CGitMemory
import Synchronization

/// How large what comes may be, for the whole process: libgit2 has one heap.
public struct ObjectLimits: Sendable, Equatable {
    /// Bytes of a blob, a commit or a tag.
    public let blob: Int
    /// Bytes of a tree: 64 for each file that may be published.
    public let tree: Int
    /// Objects of a pack: four for each file that may be published. Each takes some 130 bytes while it is indexed.
    public let objects: Int

    /// - Parameters:
    ///   - blob: bytes of the largest file.
    ///   - files: how many files may be published.
    public init(blob: Int64, files: Int) {
        self.blob = Int(clamping: max(blob, Int64(Self.least)))
        let files = min(max(files, 0), 1 << 40)
        tree = max(64 * files, Self.least)
        objects = 4 * files + 100_000
    }

    /// What every repository may have.
    private static let least = 1 << 20
    /// Bytes that libgit2 takes for an object of a pack that it writes, measured with 1.5.1 and rounded up.
    private static let objectCost = 160
    /// Bytes for all else: its caches, the index of each pack that is open, names.
    private static let allElse = 64 << 20

    /// Bytes of the largest single piece of memory.
    var one: Int { max(blob, tree) + Self.least }
    /// Bytes that libgit2 may hold in all. A delta needs its base and its result at once.
    public var all: Int { 2 * one + objects * Self.objectCost + Self.allElse }

    private static let inForce = Mutex(ObjectLimits(blob: 512_000_000, files: 1_000_000))

    /// Those of this process.
    public static var current: ObjectLimits { inForce.withLock { $0 } }

    /// Puts these in force.
    public func enforce() {
        Self.inForce.withLock { $0 = self }
        sidekick_memory_limit(one, all)
    }

    /// Bytes that libgit2 holds now.
    public static var held: Int { sidekick_memory_held() }
}
