public import Foundation

/// How long a test lets something be awaited that should come: a machine that does much else has not failed. What is asked to be
/// silent has a limit of a second or two, and its test accepts no answer in place of the limit.
public let patience = Duration.seconds(60)

/// When a link of the layout `link` was put in place, as the file system says: a test that looks may come late.
public func shownAt(_ destination: String) throws -> Date {
    var status = stat()
    guard lstat(destination, &status) == 0 else { throw TestFailure("nothing at \(destination)") }
    return Date(timeIntervalSince1970: Double(status.st_ctim.tv_sec) + Double(status.st_ctim.tv_nsec) / 1e9)
}

/// The processor time that work takes on this thread: what else the machine does is not in it.
public func processorTime(_ work: () throws -> Void) rethrows -> Duration {
    func now() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
    let start = now()
    try work()
    return now() - start
}
