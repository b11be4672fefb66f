import Glibc
import Synchronization

/// A volume may hang: a call that touches one may never return. Such calls are for threads that nothing else waits for; the
/// cooperative pool has as many threads as there are processors, and answers for liveness.
public enum DiskThread {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()
    private static let isEnforced = Atomic(false)

    /// From here on a call on another thread ends the process: for programs that are being developed.
    public static func enforce() { isEnforced.store(true, ordering: .relaxed) }

    /// Runs work on a thread that may wait for a disk.
    public static func run<Value: ~Copyable, Failure: Error>(_ work: () throws(Failure) -> Value) throws(Failure)
        -> Value
    {
        let before = pthread_getspecific(key)
        // Any address that is not null.
        pthread_setspecific(key, UnsafeRawPointer(bitPattern: 1))
        defer { pthread_setspecific(key, before) }
        return try work()
    }

    /// Runs work that may wait for a disk, while a task waits for it on no thread: on one of its own, where it is not on such a
    /// thread already.
    ///
    /// - Throws: what `work` throws; `SystemError` when there are no more threads.
    public static func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        isHere ? try work() : try await OwnThread.call(work)
    }

    private static var isHere: Bool { pthread_getspecific(key) != nil }

    /// Stands before calls that may wait for a disk.
    public static func check() {
        precondition(
            !isEnforced.load(ordering: .relaxed) || isHere,
            "a call that may wait for a disk, on a thread of the cooperative pool")
    }
}
