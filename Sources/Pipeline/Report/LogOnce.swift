import Synchronization

/// Something that goes on for a while, told once.
final class LogOnce: Sendable {
    private let told = Mutex("")

    /// - Parameter tell: called for a cause that is another than the last one.
    func tell(_ cause: String, _ tell: (String) -> Void) {
        let isNew = told.withLock { told in
            defer { told = cause }
            return told != cause
        }
        if isNew { tell(cause) }
    }

    /// It is over: the next one is news.
    func end() { told.withLock { $0 = "" } }
}
