import Glibc

/// Work that several threads share: each takes what was added last, so that few folders are open at a time, and waits
/// while another one may still add some. It ends when there is none left, or at the first failure.
final class WorkStack<Item: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var items: [Item] = []
    /// Threads that have taken something and not asked for more.
    private var busy = 0
    private var failure: (any Error)?

    init(_ first: [Item]) {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        items = first
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(condition)
        mutex.deallocate()
        condition.deallocate()
    }

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
        locked {
            failure = failure ?? error
            items = []
        }
    }

    /// What the first failure was.
    func check() throws {
        if let failure = locked({ failure }) { throw failure }
    }

    private func take() -> Item? {
        locked {
            while items.isEmpty && busy > 0 && failure == nil { pthread_cond_wait(condition, mutex) }
            guard failure == nil, let item = items.popLast() else { return nil }
            busy += 1
            return item
        }
    }

    private func finish(adding more: [Item]) {
        locked {
            busy -= 1
            if failure == nil { items += more.reversed() }
        }
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return body()
    }
}
