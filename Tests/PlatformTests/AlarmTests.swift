import Platform
import TestSupport
import Testing

@Suite struct `An alarm` {
    @Test func `rings when its time has come, and not before`() async throws {
        let start = ContinuousClock.now
        try await Alarm.wait(.seconds(0.05))
        #expect((.milliseconds(50)..<patience).contains(ContinuousClock.now - start))
        try await Alarm.wait(.seconds(0))
    }

    @Test func `ends at once when its task is cancelled, before it begins or later`() async throws {
        for delay in [0, 0.02] {
            let task = Task { try await Alarm.wait(.seconds(3600)) }
            if delay > 0 { try await Alarm.wait(.seconds(delay)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }
}
