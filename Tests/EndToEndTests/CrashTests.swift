import Foundation
import TestSupport
import Testing

/// By default every call around the switch and a sample of the others. `SIDEKICK_FAULTS=all` takes every call with every
/// fault, a number every so manieth; `SIDEKICK_FAULTS_IN` is an expression for the names of the scenarios to look at.
@Suite struct `Whatever happens at any call that changes the disk` {
    private static let setting = ProcessInfo.processInfo.environment["SIDEKICK_FAULTS"] ?? ""
    private static let stride = setting == "all" ? 1 : Int(setting)
    private static let scenarios = CrashScenario.all.filter { scenario in
        let names = ProcessInfo.processInfo.environment["SIDEKICK_FAULTS_IN"] ?? ""
        return names.isEmpty || scenario.name.range(of: names, options: .regularExpression) != nil
    }

    @Test(arguments: scenarios)
    func `the old tree or the new one is served, and the next start completes it`(scenario: CrashScenario) async throws
    {
        let started = Date()
        let source = try scenario.site.get().source.path
        let daemon = scenario.isRemote ? try await GitDaemon(repositoriesIn: source) : nil
        let address = daemon.map { "git://127.0.0.1:\($0.port)/.git" } ?? source
        let counting = try CrashRun(scenario, from: address)
        let (whole, calls) = try counting.pass()
        #expect(whole.status == 0, "\(whole.error)")
        #expect(calls.count > 40, "the shim sees the calls")
        let switching = try #require(calls.firstIndex { counting.isSwitch($0) }, "the shim sees the switch")
        let all =
            Self.stride.map { Self.faults(calls, every: $0) } ?? Self.faults(calls, scenario, around: switching)
        let faults = all.filter { !scenario.isBackground || $0.1 > switching + 1 }
        #expect(!faults.isEmpty)
        var harmless: [String: Int] = [:]
        for (fault, number) in faults {
            let run = try CrashRun(scenario, from: address)
            let what = "\(scenario.name), \(fault) at \(number) of \(calls.count)"
            if let ignored = try run.check(fault, at: number, what) { harmless[ignored, default: 0] += 1 }
        }
        let seconds = Int(Date().timeIntervalSince(started))
        print("\(scenario.name): \(faults.count) faults at \(calls.count) calls, \(seconds) s")
        for (call, count) in harmless.sorted(by: { $0.key < $1.key }) {
            print("    \(scenario.name), no failure: \(call), \(count) times")
        }
    }

    private static func faults(_ calls: [FaultShim.Call], every stride: Int) -> [(Fault, Int)] {
        Swift.stride(from: 1, through: calls.count, by: stride).flatMap { number in
            Fault.allCases.filter { $0.concerns(calls[number - 1]) }.map { ($0, number) }
        }
    }

    private static func faults(
        _ calls: [FaultShim.Call], _ scenario: CrashScenario, around switching: Int
    ) -> [(Fault, Int)] {
        let sample = scenario.sample
        let window = max(1, switching + 1 - sample.before)...min(calls.count, switching + 1 + sample.after)
        let others = (1...calls.count).filter {
            !window.contains($0) && (!scenario.isBackground || $0 > switching + 1)
        }
        let kinds: [Fault] = [.full, .broken, .quota]
        let failures = spread(others, (sample.failures + 1) / 2) + spread(Array(window), sample.failures / 2)
        return (window + spread(others, sample.kills)).map { (.kill, $0) }
            + failures.enumerated().map { index, number in
                (kinds[index % 3].concerns(calls[number - 1]) ? kinds[index % 3] : .broken, number)
            }
    }

    /// So many of them, evenly apart.
    private static func spread(_ numbers: [Int], _ count: Int) -> [Int] {
        (0..<min(count, numbers.count)).map { numbers[(2 * $0 + 1) * numbers.count / (2 * count)] }
    }
}
