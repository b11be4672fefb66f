import Foundation
import TestSupport
import Testing

/// The power is cut at some call, and the disk has any of the changes that no sync came after. By default some of the calls and states;
/// `SIDEKICK_POWER=all` is every call with up to 40 states, a number so many calls, `SIDEKICK_POWER=CALL.STATE` one state, and
/// `SIDEKICK_FAULTS_IN` an expression for the names of the scenarios.
@Suite struct `Whatever the disk has kept when the power is cut` {
    private static let setting = ProcessInfo.processInfo.environment["SIDEKICK_POWER"] ?? ""
    private static let scenarios = CrashScenario.all.filter { scenario in
        let names = ProcessInfo.processInfo.environment["SIDEKICK_FAULTS_IN"] ?? ""
        // Of many files it is the same with more of them, unless all is asked for.
        let isLarge = setting.isEmpty && names.isEmpty && scenario.name.contains("600 files")
        return !isLarge
            && (names.isEmpty || scenario.name.range(of: names, options: .regularExpression) != nil)
    }
    private static let (calls, states) = (4, 40)

    @Test(arguments: scenarios)
    func `the old tree or the new one is served, and the next start completes it`(scenario: CrashScenario) async throws
    {
        let path = try scenario.site.get().source.path
        let daemon = scenario.isRemote ? try await GitDaemon(repositoriesIn: path) : nil
        let source = daemon.map { "git://127.0.0.1:\($0.port)/.git" } ?? path
        let counting = try CrashRun(scenario, from: source)
        let (whole, calls) = try counting.pass()
        #expect(whole.status == 0, "\(whole.error)")
        var tried = 0
        let switching = calls.firstIndex { counting.isSwitch($0) } ?? 0
        // What a daemon does behind the switch may take fewer calls the next time.
        let first = scenario.isBackground ? switching + 2 : 2
        for (call, only) in Self.cuts(first, calls.count, around: switching) {
            var (state, count) = (only ?? 0, 1)
            repeat {
                let run = try CrashRun(scenario, from: source)
                count = try run.checkPowerCut(
                    at: call, state: state, of: Self.states, "\(scenario.name), SIDEKICK_POWER=\(call).\(state)")
                tried += 1
                state += 1
            } while only == nil && state < count
        }
        print("\(scenario.name): \(tried) states of a disk at \(calls.count) calls")
    }

    /// Calls, and which of their states; all where none is named.
    private static func cuts(_ first: Int, _ count: Int, around switching: Int) -> [(call: Int, state: Int?)] {
        if setting == "all" { return (first...count).map { ($0, nil) } }
        let numbers = setting.split(separator: ".").compactMap { Int($0) }
        if numbers.count == 2 { return [(numbers[0], numbers[1])] }
        let calls = numbers.first ?? calls
        let spread = (1...calls).map { first + $0 * (count - first) / calls }
        let near = [switching + 1, switching + 2, switching + 4].map { min($0, count) }
        return (spread + near).enumerated().map { (max($0.element, first), $0.offset % 9) }
    }
}
