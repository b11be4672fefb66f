import Platform

/// Work that several threads share: each takes what was added last, so that few folders are open at a time, and waits
/// while another one may still add some. It ends when there is none left, or at the first failure.
final class WorkStack<Item: Sendable>: Sendable {
    private struct State {
        var items: [Item]
        /// Threads that have taken something and not asked for more.
        var busy = 0
        var failure: (any Error)?
    }

    private let state: Monitor<State>

    init(_ first: [Item]) { state = Monitor(State(items: first)) }

    /// Takes items and works on them until there are none; what `body` throws ends it for everybody.
    ///
    /// - Parameter body: returns what is to be done next.
    func work(_ body: (Item) throws -> [Item]) {
        while let item = take() {
            do {
                finish(adding: try body(item))
            } catch {
                fail(error)
                finish(adding: [])
                return
            }
        }
    }

    /// Ends the work.
    func fail(_ error: any Error) {
        state.withLock { state in
            state.failure = state.failure ?? error
            state.items = []
        }
    }

    /// What the first failure was.
    func check() throws {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private func take() -> Item? {
        state.wait { state -> Item?? in
            guard state.failure == nil else { return .some(nil) }
            guard let item = state.items.popLast() else { return state.busy > 0 ? nil : .some(nil) }
            state.busy += 1
            return item
        }
    }

    private func finish(adding more: [Item]) {
        state.withLock { state in
            state.busy -= 1
            if state.failure == nil { state.items += more.reversed() }
        }
    }
}
