public import Glibc

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
}
