import Dispatch
import Glibc
import Synchronization
import Testing

@testable import Publishing

@Suite struct `Blobs in memory` {
    /// What is held at a time.
    private final class Use: Sendable {
        private let bytes = Mutex((now: Int64(0), most: Int64(0), served: 0))

        func hold(_ size: Int64) {
            bytes.withLock {
                $0.now += size
                $0.most = max($0.most, $0.now)
            }
            usleep(50)
            bytes.withLock {
                $0.now -= size
                $0.served += 1
            }
        }

        var result: (most: Int64, served: Int) { bytes.withLock { ($0.most, $0.served) } }
    }

    @Test func `are never more than one of the largest may be, whatever the threads ask for, and all are served`() {
        let (budget, use) = (BlobBudget(100), Use())
        DispatchQueue.concurrentPerform(iterations: 4) { number in
            for step in 0..<200 {
                let size = Int64((number * 37 + step * 61) % 101)
                if step % 20 == 0 {
                    budget.alone { use.hold(size) }
                } else {
                    budget.withRoom(for: size) { use.hold(size) }
                }
            }
        }
        let (most, served) = use.result
        #expect(most > 50 && most <= 100 && served == 800, "\(most) \(served)")
    }
}
