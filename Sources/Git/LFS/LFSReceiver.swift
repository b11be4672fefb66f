import Glibc
import Platform

/// An object that comes piece by piece: never all of it in memory, checked while it comes, and kept as far as it came when its
/// transfer breaks off.
public actor LFSReceiver {
    private let object: LFSObject
    private let store: LFSStore
    private let executor: GitExecutor
    private var file: Int32 = -1
    private var hasher = LFSHasher()
    private var count: Int64 = 0

    /// The executor's queue.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.unownedExecutor }

    /// How the bytes that came are.
    public enum Verdict: Sendable {
        /// They are the object's: it can be admitted.
        case whole
        /// Some are missing.
        case short(Int64)
        /// They are others; none of them is kept.
        case wrong
    }

    /// Nothing is opened yet.
    public init(_ object: LFSObject, into store: LFSStore, on executor: GitExecutor) {
        (self.object, self.store, self.executor) = (object, store, executor)
    }

    deinit { if file >= 0 { close(file) } }

    private var path: String { store.incomingFile(of: object.id) }

    /// - Returns: the bytes that are here, which need not come again.
    public func begin() throws -> Int64 {
        guard file < 0 else { return count }
        try store.prepare()
        var held: Int64 = 0
        do {
            _ = try LFSStore.forEachPiece(of: path) { piece in
                try Task.checkCancellation()
                hasher.update(piece)
                held += Int64(piece.count)
            }
        } catch is LFSStore.Unreadable {
            store.remove(path)
            (hasher, held) = (LFSHasher(), 0)
        }
        file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, LFSStore.ownMode)
        guard file >= 0 else { throw LFSStore.failure(path) }
        count = held
        if held > object.size { try restart() }
        return count
    }

    /// Forgets what came.
    public func restart() throws {
        guard ftruncate(file, 0) == 0 else { throw LFSStore.failure(path) }
        (hasher, count) = (LFSHasher(), 0)
    }

    /// Takes the next bytes.
    ///
    /// - Returns: false for more than the object has: they are not its own.
    public func append(_ bytes: [UInt8]) throws -> Bool {
        try Task.checkCancellation()
        guard Int64(bytes.count) <= object.size - count else {
            try restart()
            return false
        }
        try bytes.withUnsafeBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let written = write(file, rest.baseAddress, rest.count)
                if written < 0 && errno == EINTR { continue }
                guard written >= 0 else { throw LFSStore.failure(path) }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
            hasher.update(bytes)
        }
        count += Int64(bytes.count)
        return true
    }

    /// Says whether all of it came.
    public func verdict() throws -> Verdict {
        guard count == object.size else { return .short(count) }
        guard hasher.id() == object.id else {
            try restart()
            return .wrong
        }
        return .whole
    }
}

extension LFSReceiver {
    /// Takes the bytes of a file on this machine.
    ///
    /// - Returns: false where there is none with the object's own bytes.
    public func copy(from path: String) throws -> Bool {
        _ = try begin()
        try restart()
        let isThere: Bool
        do {
            isThere = try LFSStore.forEachPiece(of: path) { piece in _ = try append(Array(piece)) }
        } catch let error as LFSStore.Unreadable {
            throw error.failure
        }
        guard isThere, case .whole = try verdict() else { return false }
        return true
    }
}
