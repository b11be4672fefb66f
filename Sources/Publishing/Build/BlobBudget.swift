import Git
import Glibc

/// How many bytes of blobs several threads may have in memory together: as many as one alone.
final class BlobBudget: @unchecked Sendable {
    private let capacity: Int64
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var used: Int64 = 0
    private var holders = 0

    /// - Parameter capacity: SIDEKICK_MAX_BLOB.
    init(_ capacity: Int64) {
        self.capacity = capacity
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(condition)
        mutex.deallocate()
        condition.deallocate()
    }

    /// Waits until there is room for so many bytes, and does the work.
    func withRoom<Value>(for bytes: Int64, _ work: () throws -> Value) rethrows -> Value {
        change {
            while holders > 0, used > capacity - min(bytes, capacity) { pthread_cond_wait(condition, mutex) }
            used += bytes
            holders += 1
        }
        defer {
            change {
                used -= bytes
                holders -= 1
                pthread_cond_broadcast(condition)
            }
        }
        return try work()
    }

    /// The same of what is made of blobs: where one is made of others that do not fit, once more and alone.
    func whileReading<Value>(_ bytes: Int64, _ work: () throws -> Value) throws -> Value {
        do {
            return try withRoom(for: bytes, work)
        } catch let error as GitError where error.exceeded?.kind == .memory {
            return try alone(work)
        }
    }

    /// Waits until nobody else has any, and does the work: a blob may be made of one that is larger.
    func alone<Value>(_ work: () throws -> Value) rethrows -> Value { try withRoom(for: capacity + 1, work) }

    private func change(_ body: () -> Void) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        body()
    }
}
