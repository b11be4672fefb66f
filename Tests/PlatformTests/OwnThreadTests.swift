import Platform
import Testing

@Suite struct `Work on a thread of its own` {
    private final class Held: Sendable {}

    @Test func `has let go of what it holds when its result is there`() async throws {
        var kept = 0
        for number in 0..<2_000 {
            weak var seen: Held?
            do {
                let held = Held()
                seen = held
                let work: @Sendable () -> Void = { [held] in withExtendedLifetime(held) {} }
                if number.isMultiple(of: 2) {
                    try await BackgroundThread.run { _ in work() }
                } else {
                    try await DiskThread.perform(work)
                }
            }
            if seen != nil { kept += 1 }
        }
        #expect(kept == 0)
    }
}
