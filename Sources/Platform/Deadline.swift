/// Runs work, and ends it when it takes too long: see `withWatch`.
///
/// - Parameters:
///   - limit: how long it may take.
///   - error: what is thrown when it took longer.
/// - Throws: that error, what the work throws, `CancellationError` when the task is cancelled.
public func withDeadline<Value: Sendable>(
    _ limit: Duration, throwing error: any Error, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withWatch(over: work) {
        try await Alarm.wait(limit)
        return error
    }
}

/// Runs work beside a watch over it. Whichever ends first cancels the other one, and both are waited for: work that does not end
/// when it is cancelled must not be given to this. Work that succeeds although it was cancelled has succeeded.
///
/// - Parameter watch: ends with the reason when the work is to be ended.
/// - Throws: that reason, what the work throws, `CancellationError` when the task is cancelled.
public func withWatch<Value: Sendable>(
    over work: @escaping @Sendable () async throws -> Value, _ watch: @escaping @Sendable () async throws -> any Error
) async throws -> Value {
    try await withThrowingTaskGroup(of: Ending<Value>.self) { group in
        group.addTask { .worked(try await work()) }
        group.addTask { .stopped(try await watch()) }
        var ending = try await group.next()
        group.cancelAll()
        guard case .stopped(let reason)? = ending else {
            guard case .worked(let value)? = ending else { throw CancellationError() }
            return value
        }
        ending = try? await group.next()
        if case .worked(let value)? = ending { return value }
        throw reason
    }
}

private enum Ending<Value: Sendable>: Sendable {
    case worked(Value)
    case stopped(any Error)
}
