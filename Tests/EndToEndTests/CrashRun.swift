import Foundation
import TestSupport
import Testing

/// One DESTINATION in which a scenario is carried out, with a fault or without.
struct CrashRun {
    private let scenario: CrashScenario
    private let site: CrashSite
    private let folder: TemporaryFolder

    private let address: String

    /// Publishes what comes before. Nothing is copied: other inodes would be other files.
    ///
    /// - Parameter address: where the scenario's site is had.
    init(_ scenario: CrashScenario, from address: String) throws {
        self.address = address
        self.scenario = scenario
        folder = try TemporaryFolder()
        site = try scenario.site.get()
        for step in scenario.before {
            let (result, _) = try publish(step)
            guard result.status == 0 else { throw TestFailure("\(scenario.name), before: \(result.error)") }
        }
        try scenario.prepare(folder)
    }

    private func publish(
        _ step: CrashScenario.Step, asDaemon: Bool = false, fault: (Fault, at: Int)? = nil, graves: String? = nil
    ) throws -> (Command.Result, [FaultShim.Call]) {
        let shim = try FaultShim.shared.get()
        let command =
            [
                Sidekick.binary, address, folder("www"), "--layout", step.layout, "--ref",
                site.commits[step.commit].id, "--grace", "0s",
            ] + step.arguments
        return asDaemon
            ? try shim.follow(command + ["--delay", "1h"], fault: fault, graves: graves)
            : try shim.run(command + ["--once"], fault: fault, graves: graves)
    }

    /// The pass that the scenario is about.
    func pass(fault: (Fault, at: Int)? = nil) throws -> (Command.Result, [FaultShim.Call]) {
        try publish(scenario.step, asDaemon: scenario.isBackground, fault: fault)
    }

    /// Whether a call is one of those that the scenario is about.
    func isSwitch(_ call: FaultShim.Call) -> Bool { scenario.isSwitch(call, folder) }

    /// - Returns: the call, when it failed and the pass did not.
    func check(_ fault: Fault, at number: Int, _ what: String) throws -> String? {
        let (result, calls) = try pass(fault: (fault, at: number))
        let hit = try #require(calls.first { $0.isHit }, "\(what): it happened")
        let what = "\(what), \(hit)"
        var ignored: String?
        if let message = fault.message {
            if result.status == 0 {
                ignored = "\(fault) \(hit.name) " + (hit.paths.last.map { place(of: $0) } ?? "")
                #expect(try shown() == new, "\(what): \(result.error)")
            } else {
                #expect(result.error.contains(message), "\(what): \(result.error)")
                #expect(result.error.contains(folder.path) || result.error.contains("git_"), "\(what): \(result.error)")
            }
        } else {
            #expect(result.status == 137, "\(what): \(result.error)")
        }
        #expect(!result.error.contains("CocoaError"), "\(what): a dump is no reason: \(result.error)")
        try checkServed("\(what): \(result.error)")
        try checkNextStart("\(what): \(result.error)")
        return ignored
    }

    /// The power is cut before a call, or at the end when there are not so many.
    ///
    /// - Returns: how many states of the disk are possible there, at most `most`.
    func checkPowerCut(at call: Int, state: Int, of most: Int, _ what: String) throws -> Int {
        // Beside what is watched, on the same file system.
        let graves = try TemporaryFolder()
        let (result, _) = try publish(
            scenario.step, asDaemon: scenario.isBackground, fault: (.kill, at: call), graves: graves.path)
        #expect(result.status == 137 || result.status == 0, "\(what): \(result.error)")
        let pending = try DiskLog(try graves.read("log")).pending
        let states = DiskState.all(of: pending, atMost: most, seed: SeededNumbers.seed &+ UInt64(call))
        let kept = states[min(state, states.count - 1)]
        try kept.apply(to: pending, below: folder.path, graves: graves.path)
        let lost = pending.indices.map { index in
            "\(kept.lost.contains(index) ? "lost" : "\(kept.tears[index] ?? .kept)"): \(pending[index])"
        }
        let what = "\(what)\n" + lost.joined(separator: "\n") + "\n"
        try checkServed(what)
        try checkNextStart(what, afterPowerCut: true)
        return states.count
    }

    // MARK: what is served

    private var old: Contents? { scenario.before.last.map { site.commits[$0.commit].contents } }
    private var new: Contents { site.commits[scenario.step.commit].contents }
    private static let foreignFile = "mine.txt"

    private func shown() throws -> Contents? {
        var shown = try contents(of: folder("www"))
        shown?[Self.foreignFile] = nil
        guard scenario.step.arguments.contains("--compress") else { return shown }
        // What stands beside a file is that file, at any moment.
        for path in (shown ?? [:]).keys where path.hasSuffix(".gz") {
            guard case .file(let text, _)? = shown?[String(path.dropLast(3))] else { continue }
            let unpacked = try Command.run(["gzip", "-dc", folder("www/" + path)], mayFail: true)
            if unpacked.status == 0, unpacked.text == text { shown?[path] = nil }
        }
        return shown
    }

    private func checkServed(_ when: String) throws {
        let shown = try shown()
        guard scenario.step.layout == "folder" else {
            #expect(shown == old || shown == new, "\(when): \(describe(shown))")
            return
        }
        for path in Set((shown ?? [:]).keys).union((old ?? [:]).keys).union(new.keys) {
            let leaf = shown?[path]
            let isRight = leaf == new[path] || leaf == old?[path]
            #expect(isRight, "\(when): \(path) is \(leaf.map { "\($0)" } ?? "absent")")
        }
    }

    private func describe(_ shown: Contents?) -> String {
        guard let shown else { return "nothing" }
        return "neither, " + shown.filter { old?[$0.key] != $0.value || new[$0.key] != $0.value }.description
    }

    // MARK: the next start

    private func checkNextStart(_ when: String, afterPowerCut: Bool = false) throws {
        let hadForeignFile = folder.has("www/" + Self.foreignFile)
        let (result, _) = try pass()
        #expect(result.status == 0, "\(when): the next start: \(result.error)")
        #expect(try shown() == new, "\(when): the next start: \(result.error)")
        if hadForeignFile, scenario.step.layout == "folder" {
            #expect(try folder.read("www/" + Self.foreignFile) == "mine", "\(when)")
        }
        // The youngest time of a tree whose record was lost is kept.
        let leftovers = try Leftovers(home: folder(".sidekick/www")).found.filter { !afterPowerCut || $0 != "floor" }
        #expect(leftovers == [], "\(when): the next start: \(result.error)")
        try checkLostAndFound(when, afterPowerCut)
        #expect(try scenario.isDone(folder), "\(when): the next start: \(result.error)")
        let store = try Command.run(
            ["git", "--git-dir", folder(".sidekick/www/git"), "fsck", "--no-dangling"],
            environment: GitRepository.environment(), mayFail: true)
        // git has no word for a commit of which a folder is here alone.
        if !scenario.isPartial { #expect(store.status == 0, "\(when): fsck: \(store.text)\(store.error)") }
        let verify = try Command.run([Sidekick.binary, "verify", folder("www")], mayFail: true)
        #expect(verify.status == 0, "\(when): verify: \(verify.text)\(verify.error)")

        var next = scenario.step
        next = CrashScenario.Step(layout: next.layout, commit: next.commit + 1, arguments: next.arguments)
        let (later, _) = try publish(next)
        #expect(later.status == 0, "\(when): the next update: \(later.error)")
        #expect(try shown() == site.commits[next.commit].contents, "\(when): the next update: \(later.error)")
    }

    /// The foreign file, where it could not stay, and nothing else.
    ///
    /// - Parameter afterPowerCut: a tree whose record is that of another one is not known as ours: what was published may be kept too.
    private func checkLostAndFound(_ when: String, _ afterPowerCut: Bool) throws {
        var lost = try contents(of: folder(".sidekick/www/lost+found")) ?? [:]
        if afterPowerCut {
            let published = site.commits.flatMap(\.contents.values)
            lost = lost.filter { !published.contains($0.value) }
        }
        let isExpected = scenario.before.last?.layout == "folder" && scenario.step.layout != "folder"
        let names = lost.keys.map { ($0 as NSString).lastPathComponent }
        #expect(names == (isExpected ? [Self.foreignFile] : []), "\(when): \(lost)")
    }

    /// Where a path is, whatever its temporary name.
    private func place(of path: String) -> String {
        let relative = path.replacingOccurrences(of: folder.path, with: "")
        return relative.split(separator: "/").map { part in
            part.contains(where: \.isNumber) || part.hasPrefix(".dat") ? "*" : String(part)
        }.joined(separator: "/")
    }
}

/// What a pass that worked leaves in the state folder and should not.
private struct Leftovers {
    private(set) var found: [String] = []

    init(home: String) throws {
        func names(_ folder: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: home + "/" + folder)) ?? []).sorted()
        }
        let known = [
            "lock", "status.json", "git", "trees", "records", "dirty", "segments", "previous", "record", "staging",
            "lost+found", "lfs",
        ]
        found += names("").filter { !known.contains($0) }
        found += names("staging").map { "staging/" + $0 }
        found += names("lfs/incoming").map { "lfs/incoming/" + $0 }
        let trees = Set(names("trees"))
        let live = try? String(contentsOfFile: home + "/status.json", encoding: .utf8)
        found += trees.filter { name in
            // The link that an exchange leaves for a grace.
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: home + "/trees/" + name)
            return name.hasPrefix(".") && !(name.hasPrefix(".next-") && target?.hasPrefix("../../../") == true)
        }.map { "trees/" + $0 }
        let records = Set(names("records"))
        found += trees.subtracting(records).filter { !$0.hasPrefix(".") }.map { "trees/\($0) without its record" }
        // The layout exchange has one tree at DESTINATION.
        let absent = records.subtracting(trees)
        let isExchange = live?.contains(#""layout" : "exchange""#) == true
        if absent.count != (isExchange ? 1 : 0) { found += absent.map { "records/\($0) without its tree" } }
        found += Set(names("dirty")).subtracting(trees).map { "dirty/" + $0 }
        let files = records.map { "records/" + $0 } + ["record"]
        let texts = files.compactMap { FileManager.default.contents(atPath: home + "/" + $0) }
        found += names("segments").filter { segment in
            !texts.contains { $0.range(of: Data(segment.utf8)) != nil }
        }.map { "segments/\($0) of no record" }
        found += names("git").filter { $0.hasPrefix(".dat") || $0.hasPrefix("_git2") || $0.hasSuffix(".lock") }
        found += names("git/objects/pack").filter { !$0.hasPrefix("pack-") }
        let references = ["fetched", "published", "composite", "modules", "folder"]
        found += names("git/refs/sidekick").filter { !references.contains($0) }
    }
}
