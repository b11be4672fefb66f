import CLibgit2
import Glibc
import Platform
import Synchronization

/// Finds out which objects the differences of a pack are: from each whole object on, those that differ from it, and those that
/// differ from these, by several threads. Each object is made once, unless a chain holds more than may be in memory.
final class DeltaResolution: @unchecked Sendable {
    private(set) var pack: IncomingPack
    private let file: PackFile
    /// By index, as in `pack`; threads write what nobody else does, as `claims` says.
    private let entries: UnsafeMutableBufferPointer<PackEntry>
    private var count: Int
    /// By the index of a difference: what it is the difference from; -1 while that is not known.
    private let bases: UnsafeMutableBufferPointer<Int32>
    /// By the index of the base.
    private let byIndex: [(base: Int, entry: Int)]
    private let byName: [(base: ObjectID, entry: Int)]
    /// Differences that some thread has made, or is making.
    private let claims: Mutex<[Bool]>
    private let isStopped = Atomic(false)
    /// Of the whole objects that others differ from: what no thread has taken yet.
    private let nextRoot = Atomic(0)

    /// For fewer differences one thread is as fast.
    private static let minForThreads = 100
    private static let maxThreads = 4
    /// Where something is larger, one at a time is in memory.
    private static let maxSizeForThreads: UInt64 = 16 << 20
    /// Bytes of a chain that one thread keeps.
    private static let maxKept = 16 << 20

    /// - Throws: `GitError` for a difference from what is no entry.
    init(of pack: IncomingPack, in file: PackFile) throws {
        (self.pack, self.file) = (pack, file)
        var (byIndex, byName): ([(base: Int, entry: Int)], [(base: ObjectID, entry: Int)]) = ([], [])
        for delta in pack.deltas {
            switch delta.base {
            case .name(let id): byName.append((id, delta.index))
            case .offset(let start):
                let base = pack.entries.partitionPoint { $0.start >= start }
                guard base < delta.index, pack.entries[base].start == start else {
                    throw IncomingPack.damage("has a difference from what is no entry")
                }
                byIndex.append((base, delta.index))
            }
        }
        byIndex.sort { $0.base < $1.base }
        byName.sort { $0.base.precedes($1.base) }
        (self.byIndex, self.byName) = (byIndex, byName)
        // A thin pack gets what it lacks, at most one object for each name.
        let capacity = pack.entries.count + byName.count
        entries = .allocate(capacity: capacity)
        _ = entries.initialize(from: pack.entries)
        count = pack.entries.count
        bases = .allocate(capacity: capacity)
        bases.initialize(repeating: -1)
        claims = Mutex(Array(repeating: false, count: pack.entries.count))
    }

    deinit {
        entries.deallocate()
        bases.deallocate()
    }

    // MARK: all of them

    /// Makes all that begins with a whole object of the pack.
    func run() throws {
        let roots = (0..<count).filter { ObjectKind(number: entries[$0].kind) != nil && !children(of: $0).isEmpty }
        let usesThreads = pack.deltas.count >= Self.minForThreads && pack.largest <= Self.maxSizeForThreads
        let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let helpers = usesThreads ? min(processors, Self.maxThreads) - 1 : 0
        let state = Monitor<(working: Int, failure: (any Error)?)>((0, nil))
        @Sendable func work() {
            do { try resolve(roots) } catch { state.withLock { $0.failure = $0.failure ?? error } }
        }
        for _ in 0..<helpers {
            state.withLock { $0.working += 1 }
            let thread = try? OwnThread.start {
                work()
                state.withLock { $0.working -= 1 }
            }
            if thread == nil { state.withLock { $0.working -= 1 } }
        }
        work()
        let failure = state.wait { state in state.working == 0 ? .some(state.failure) : nil }
        // The other threads are not the task's.
        try Task.checkCancellation()
        if let failure { throw failure }
        pack.entries = Array(entries[..<count])
    }

    private func resolve(_ roots: [Int]) throws {
        let resolver = DeltaResolver(self)
        do {
            while true {
                let index = nextRoot.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < roots.count else { return }
                try resolver.resolve(below: roots[index])
            }
        } catch {
            isStopped.store(true, ordering: .relaxed)
            throw error
        }
    }

    // MARK: what a thin pack lacks

    /// Puts objects of a store behind the entries of a thin pack, and makes what differs from them.
    ///
    /// - Returns: whether there were any.
    /// - Throws: `GitError` for a difference from an object that is nowhere.
    func complete(from repository: PackBases, appendingTo output: NewFile) throws -> Bool {
        let resolver = DeltaResolver(self)
        var hasAppended = false
        for (id, delta) in byName where entries[delta].id == .zero {
            try Task.checkCancellation()
            // One that came with another one.
            guard !isClaimed(delta), let base = try repository.object(id) else { continue }
            if !hasAppended { output.truncate(to: pack.end) }
            hasAppended = true
            let start = output.size
            var checksum: UInt32 = 0
            try base.asEntry { piece in
                checksum = piece.crc32(after: checksum)
                try output.append(piece)
            }
            entries[count] = PackEntry(start: start, checksum: checksum, kind: base.kind.rawValue, id: id)
            count += 1
            pack.end = output.size
            try resolver.resolve(below: count - 1)
        }
        let lost = pack.deltas.count { entries[$0.index].id == .zero }
        guard lost == 0 else {
            throw IncomingPack.damage("has \(lost) differences from objects that neither it nor the store has")
        }
        pack.entries = Array(entries[..<count])
        return hasAppended
    }

    // MARK: what a resolver asks

    func children(of index: Int) -> [Int] {
        var found: [Int] = []
        var next = byIndex.partitionPoint { $0.base >= index }
        while next < byIndex.count, byIndex[next].base == index {
            found.append(byIndex[next].entry)
            next += 1
        }
        guard !byName.isEmpty else { return found }
        let id = entries[index].id
        next = byName.partitionPoint { !$0.base.precedes(id) }
        while next < byName.count, byName[next].base == id {
            found.append(byName[next].entry)
            next += 1
        }
        return found
    }

    /// - Returns: false where it has been made, or another thread makes it.
    func claim(_ index: Int, from base: Int) -> Bool {
        let isMine = claims.withLock { claims in
            defer { claims[index] = true }
            return !claims[index]
        }
        if isMine { bases[index] = Int32(base) }
        return isMine
    }

    private func isClaimed(_ index: Int) -> Bool { claims.withLock { $0[index] } }

    func base(of index: Int) -> Int { Int(bases[index]) }

    func kind(of index: Int) -> ObjectKind? { ObjectKind(number: entries[index].kind) }

    func note(_ id: ObjectID, _ kind: ObjectKind, of index: Int) {
        entries[index].kind = kind.rawValue
        entries[index].id = id
    }

    func check() throws {
        try Task.checkCancellation()
        if isStopped.load(ordering: .relaxed) { throw CancellationError() }
    }

    var maxKept: Int { Self.maxKept }

    /// That alone is read: another thread may write down at this moment what the entry is.
    private func start(of index: Int) -> UInt64 {
        let entry = UnsafePointer(entries.baseAddress! + index)
        return entry.pointer(to: \.start)?.pointee ?? pack.end
    }

    /// What stands compressed in an entry: an object, or a difference.
    func inflated(_ index: Int, with inflater: Inflater, _ input: inout [UInt8]) throws -> ObjectBuffer {
        let start = start(of: index)
        let end = index + 1 < count ? self.start(of: index + 1) : pack.end
        let headCount = Int(min(UInt64(PackEntryHead.longest), end - start))
        let count = Int(end - start)
        // What is larger than it need be is read piece by piece.
        let isSmall = count <= 1 << 21
        let wanted = isSmall ? count : headCount
        if input.count < wanted { input = [UInt8](repeating: 0, count: max(wanted, 1 << 16)) }
        return try input.withUnsafeMutableBytes { input in
            let bytes = UnsafeMutableRawBufferPointer(rebasing: input[..<wanted])
            guard try file.read(at: start, into: bytes) == wanted else {
                throw IncomingPack.damage("is shorter than what was written")
            }
            let entry = UnsafeRawBufferPointer(bytes)
            guard let head = PackEntryHead(entry), let base = head.base(in: entry), let size = Int(exactly: head.size)
            else { throw IncomingPack.damage("has an entry that is none") }
            let output = try ObjectBuffer(size: size)
            let length = head.length + base.length
            if isSmall, inflater.inflate(UnsafeRawBufferPointer(rebasing: entry[length...]), into: output.bytes) != nil
            {
                return output
            }
            var filled = 0
            _ = try Inflation.run(file, from: start + UInt64(length), atMost: Int64(size)) { piece in
                memcpy(output.bytes.baseAddress! + filled, piece.baseAddress!, piece.count)
                filled += piece.count
            }
            guard filled == size else { throw IncomingPack.damage("has an entry that cannot be inflated") }
            return output
        }
    }
}

extension Array {
    /// The first index of a sorted array from which on something is true.
    func partitionPoint(where isAfter: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// Where the objects are that a thin pack has differences from. It may outlive the repository that it was made of.
final class PackBases {
    private let database: OpaquePointer
    private let packed: PackedObjects

    init(_ repository: borrowing Repository) throws(GitError) {
        database = try repository.database()
        packed = repository.packed
    }

    deinit { git_odb_free(database) }

    /// - Returns: `nil` for one that is not here.
    func object(_ id: ObjectID) throws(GitError) -> StoredObject? {
        if let object = packed.object(id) { return object }
        var (oid, size, kind) = (id.raw, 0, GIT_OBJECT_INVALID)
        guard git_odb_read_header(&size, &kind, database, &oid) == 0, let kind = ObjectKind(kind) else { return nil }
        return try Repository.read(id, kind, in: database)
    }
}
