import CLibgit2
import Glibc
import Platform

/// Names whole objects: SHA-1 with a look for collisions takes longer than all else of an index. It is done by threads of its own,
/// where there are processors for them, and by whoever brings the objects when those have enough to do.
final class ObjectNamer {
    fileprivate struct Item {
        let entry: Int
        let kind: ObjectKind
        let start: Int
        let size: Int
    }

    /// Objects that are named by one thread: what is handed over costs a lock.
    fileprivate final class Batch: @unchecked Sendable {
        let memory: UnsafeMutableRawBufferPointer
        var used = 0
        var items: [Item] = []
        var names: [(entry: Int, id: ObjectID)] = []

        init(_ size: Int) { memory = .allocate(byteCount: size, alignment: 16) }
        deinit { memory.deallocate() }

        func name() throws(GitError) {
            names.reserveCapacity(items.count)
            for item in items {
                let bytes = UnsafeRawBufferPointer(rebasing: memory[item.start..<item.start + item.size])
                names.append((item.entry, try ObjectID(of: bytes, as: item.kind)))
            }
        }
    }

    fileprivate struct State {
        var waiting: [Batch] = []
        var working = 0
        var names: [(entry: Int, id: ObjectID)] = []
        var failure: GitError?
        /// Nothing more comes.
        var isClosed = false
    }

    private let state = Monitor(State())
    private var batch: Batch?
    private var helpers: Int?
    private var isFirst = true

    private static let batchSize = 1 << 18
    /// An update brings a few objects.
    private static let firstSize = 1 << 14
    /// Batches that wait: a few megabytes at most.
    private static let maxWaiting = 4
    private static let maxHelpers = 3

    deinit {
        state.withLock { state in
            state.isClosed = true
            state.waiting = []
        }
    }

    /// Memory for the bytes of the next object.
    func room(for size: Int) -> UnsafeMutableRawBufferPointer {
        if let batch, batch.memory.count - batch.used >= max(size, 1) {
            return UnsafeMutableRawBufferPointer(rebasing: batch.memory[batch.used..<batch.used + size])
        }
        handOver()
        let batch = Batch(max(isFirst ? Self.firstSize : Self.batchSize, size + 1))
        isFirst = false
        self.batch = batch
        return UnsafeMutableRawBufferPointer(rebasing: batch.memory[..<size])
    }

    /// The object whose bytes stand in the room that was lent last.
    ///
    /// - Parameter entry: its number, for `finish`.
    func take(_ size: Int, as kind: ObjectKind, for entry: Int) {
        guard let batch else { return }
        batch.items.append(Item(entry: entry, kind: kind, start: batch.used, size: size))
        batch.used += size
    }

    /// Waits until all have their names.
    ///
    /// - Throws: `GitError` for bytes that were made to have the name of others.
    func finish() throws(GitError) -> [(entry: Int, id: ObjectID)] {
        if let batch { Self.work(on: batch, state) }
        batch = nil
        while let batch = state.withLock({ $0.takeFirst() }) { Self.work(on: batch, state) }
        let end = state.wait { state in state.working == 0 ? state : nil }
        if let failure = end.failure { throw failure }
        return end.names
    }

    private func handOver() {
        guard let batch, !batch.items.isEmpty else { return }
        let helpers = helpers ?? begin()
        self.helpers = helpers
        let isTaken = state.withLock { state in
            guard helpers > 0, state.waiting.count < Self.maxWaiting else { return false }
            state.waiting.append(batch)
            return true
        }
        if !isTaken { Self.work(on: batch, state) }
    }

    private func begin() -> Int {
        let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let state = state
        return (0..<min(processors - 1, Self.maxHelpers)).count { _ in
            let thread = try? OwnThread.start {
                while let batch = state.wait(for: { $0.next() }) {
                    Self.work(on: batch, state)
                    state.withLock { $0.working -= 1 }
                }
            }
            return thread != nil
        }
    }

    private static func work(on batch: Batch, _ state: Monitor<State>) {
        do throws(GitError) {
            try batch.name()
            state.withLock { $0.names += batch.names }
        } catch {
            state.withLock { $0.failure = $0.failure ?? error }
        }
    }
}

extension ObjectNamer.State {
    /// For a helper: `nil` to wait, and nothing at the end.
    fileprivate mutating func next() -> ObjectNamer.Batch?? {
        guard let first = takeFirst() else { return isClosed ? .some(nil) : nil }
        working += 1
        return first
    }

    fileprivate mutating func takeFirst() -> ObjectNamer.Batch? { waiting.isEmpty ? nil : waiting.removeFirst() }
}
