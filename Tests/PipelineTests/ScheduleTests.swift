import Platform
import TestSupport
import Testing

@testable import Pipeline

@Suite struct `The pause between passes` {
    @Test func `after a pass that worked it is DELAY, a tenth shorter or longer`() {
        let schedule = Schedule(delay: .seconds(60), cap: .seconds(600))
        var dice = SeededNumbers(seed: SeededNumbers.seed)
        let pauses = (0..<1000).map { _ in schedule.pause(failures: 0, using: &dice).inSeconds }
        #expect(pauses.allSatisfy { (54...66).contains($0) })
        #expect(pauses.max()! - pauses.min()! > 6, "replicas drift apart")
    }

    /// Each is a sidekick that passes, or fails, at its own times.
    private func requests(of replicas: Int, seconds: Int, isDown: Bool) -> [Int] {
        let schedule = Schedule(delay: .seconds(60), cap: .seconds(600))
        var dice = SeededNumbers(seed: SeededNumbers.seed)
        var counts = Array(repeating: 0, count: seconds)
        for _ in 0..<replicas {
            var (time, passes) = (0.0, 0)
            while Int(time) < seconds {
                counts[Int(time)] += 1
                time += schedule.pause(failures: isDown ? passes + 1 : 0, isFirst: passes == 0, using: &dice).inSeconds
                passes += 1
            }
        }
        return counts
    }

    @Test func `two hundred that are restarted at once ask at once and never together again`() {
        let counts = requests(of: 200, seconds: 1_800, isDown: false)
        #expect(counts[0] == 200)
        let rest = counts.dropFirst()
        // 200 in 60 s are 3.3 a second. Of a Poisson distribution with that mean, 16 come once in a million seconds.
        #expect(rest.max()! <= 16, "\(rest.max()!)")
        let minutes = stride(from: 60, to: 1_740, by: 60).map { counts[$0..<$0 + 60].reduce(0, +) }
        #expect(minutes.allSatisfy { (140...260).contains($0) }, "\(minutes)")
    }

    @Test func `two hundred whose server is down ask less and less, and never together again`() {
        let counts = requests(of: 200, seconds: 1_800, isDown: true)
        #expect(counts.dropFirst().max()! <= 20, "\(counts.dropFirst().max()!)")
        #expect(counts[900...].reduce(0, +) < 900 * 200 / 60 / 3, "\(counts[900...].reduce(0, +))")
    }

    @Test func `while nothing is published it is 1, 2, 4 seconds at most until that is more than DELAY`() {
        var dice = SeededNumbers(seed: SeededNumbers.seed)
        let schedule = Schedule(delay: .seconds(60), cap: .seconds(300))
        for (failures, most) in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 16.0), (6, 32.0)] {
            for _ in 0..<100 {
                let pause = schedule.pause(failures: failures, isServing: false, using: &dice).inSeconds
                #expect((most / 2...most).contains(pause), "\(failures): \(pause)")
            }
        }
        // From then on as ever.
        for failures in 7...40 {
            let pauses = (0..<200).map { _ in
                schedule.pause(failures: failures, isServing: false, using: &dice).inSeconds
            }
            #expect(pauses.allSatisfy { $0 <= min(300, 60 * Double(1 << min(failures - 6, 10))) })
            #expect(pauses.contains { $0 > 30 }, "\(failures)")
        }
        for delay in [0.1, 1] {
            let short = Schedule(delay: .seconds(delay), cap: .seconds(300))
            #expect(short.pause(failures: 1, isServing: false, using: &dice).inSeconds <= 2 * delay)
        }
    }

    @Test func `failures double its ceiling up to the cap, and the dice choose below it`() {
        let schedule = Schedule(delay: .seconds(1), cap: .seconds(10))
        var dice = SeededNumbers(seed: SeededNumbers.seed)
        for failures in 1...100 {
            let ceiling = min(10, Double(sign: .plus, exponent: min(failures, 30), significand: 1))
            for _ in 0..<50 {
                #expect((0.5...ceiling).contains(schedule.pause(failures: failures, using: &dice).inSeconds))
            }
        }
        let late = (0..<2000).map { _ in schedule.pause(failures: 50, using: &dice).inSeconds }
        #expect(late.max()! > 9.5 && late.min()! < 0.6, "the whole range is used")
    }

    @Test func `a cap below DELAY does not ask more often than DELAY`() {
        var high = SeededNumbers(seed: SeededNumbers.seed)
        let pauses = (0..<500).map { _ in
            Schedule(delay: .seconds(60), cap: .seconds(1)).pause(failures: 5, using: &high).inSeconds
        }
        #expect(pauses.max()! > 30)
    }
}

@Suite struct `The doorbell` {
    private func forever() async throws { try await Task.sleep(for: .seconds(3600)) }

    @Test func `a ring ends the wait`() async {
        let bell = Doorbell()
        async let answer = bell.wait(orUntil: forever)
        bell.ring(.signal)
        #expect(await answer?.trigger == .signal)
    }

    @Test func `a ring before the wait is kept, and many are one`() async {
        let bell = Doorbell()
        for _ in 0..<5 { bell.ring(.signal) }
        #expect(await bell.wait(orUntil: forever)?.trigger == .signal)
        #expect(await bell.wait(orUntil: {})?.trigger == nil)
    }

    @Test func `the time ends the wait, and nothing of it is left for the next one`() async {
        let bell = Doorbell()
        for _ in 0..<200 { #expect(await bell.wait(orUntil: {})?.trigger == nil) }
        bell.ring(.signal)
        #expect(await bell.wait(orUntil: forever)?.trigger == .signal)
    }

    @Test func `cancellation ends the wait`() async {
        let bell = Doorbell()
        let waiting = Task { await bell.wait(orUntil: { try await Task.sleep(for: .seconds(3600)) }) }
        waiting.cancel()
        #expect(await waiting.value?.trigger == nil)
    }
}
