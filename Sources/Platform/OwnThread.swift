public import Glibc
import Synchronization

/// A thread for what may block for as long as it likes. Those of libdispatch are few and shared.
public enum OwnThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// - Returns: the thread; nobody joins it.
    /// - Throws: `SystemError` when the system has no more threads; nothing has run then.
    @discardableResult
    public static func start(_ run: @escaping @Sendable () -> Void) throws(SystemError) -> pthread_t {
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run))
        let code = pthread_create(
            &thread, nil,
            { body in
                let body = Unmanaged<Body>.fromOpaque(body!).takeRetainedValue()
                DiskThread.run { body.run() }
                return nil
            }, body.toOpaque())
        guard code == 0 else {
            body.release()
            throw SystemError("start a thread", code: code)
        }
        pthread_detach(thread)
        return thread
    }

    /// Runs work on a thread of its own, while a task waits for it on none.
    ///
    /// What the work holds is let go of before its result is there, so that whoever goes on finds a lock free that was in it: the
    /// thread itself may not be given a processor for seconds.
    ///
    /// - Throws: what `work` throws; `SystemError` when there are no more threads.
    static func call<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let once = Once(work)
        return try await withCheckedThrowingContinuation { continuation in
            do {
                try start { continuation.resume(with: once.run()) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private final class Once<Value>: Sendable {
        private let work: Mutex<(@Sendable () throws -> Value)?>
        init(_ work: @escaping @Sendable () throws -> Value) { self.work = Mutex(work) }

        /// Runs it and forgets it.
        func run() -> Result<Value, any Error> {
            guard let work = work.withLock({ $0.take() }) else { preconditionFailure("work is run once") }
            return Result { try work() }
        }
    }
}
