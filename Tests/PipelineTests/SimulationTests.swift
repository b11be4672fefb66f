import Faults
import Foundation
import Synchronization
import TestSupport
import Testing
import Upstream

@testable import Pipeline

/// Thousands of passes in one process: a remote that pushes, rewrites, lies and fails, operators, strangers who change what is
/// served, lost stores, disks that fail or are full, and restarts, chosen by a seed. After each pass the promises are looked at.
@Suite struct `A simulation` {
    /// Passes for each layout: `SIDEKICK_SIMULATION`.
    private static let passes =
        ProcessInfo.processInfo.environment["SIDEKICK_SIMULATION"].flatMap { Int($0) } ?? 700

    @Test(arguments: ["link", "exchange", "folder"])
    func `finds after each pass what the commit has, or what stood there before`(layout: String) async throws {
        var world = try await World(layout, seed: SeededNumbers.seed)
        for number in 0..<Self.passes {
            try await world.step()
            try world.check(number)
            if world.isBroken { break }
        }
        await world.end()
        #expect(world.successes > Self.passes / 3, "\(world.successes) of \(Self.passes)")
        #expect(world.diskFaults > Self.passes / 30, "\(world.diskFaults) of \(Self.passes)")
    }
}

/// What there is, and what should be.
private struct World {
    private let layout: String
    private var numbers: SeededNumbers
    private let commits: [String]
    private let trees: [String: [String: String]]
    private var loop: LoopOnTrial
    private let folder: TemporaryFolder
    private let remote: ScriptedRemote
    private let module: GitRepository
    private let address: String
    /// What was published last, as far as it can be known.
    private var published: String?
    private var hold: String?
    /// Somebody changed what is served: until a pass works it is as he made it.
    private var isSpoiled = false
    /// What passes have failed to publish since the last one that worked: a disk may have failed after it was shown.
    private var attempted: Set<String> = []
    private var story: [String] = []
    /// Each path's bytes by what a web server makes its ETag of.
    private var tags: [String: String] = [:]
    private(set) var successes = 0
    /// Calls that failed, or with which a full disk began.
    private(set) var diskFaults = 0
    private var brokenCall = Int.max
    private(set) var isBroken = false

    init(_ layout: String, seed: UInt64) async throws {
        self.layout = layout
        var numbers = SeededNumbers(seed: seed &+ UInt64(layout.utf8.count))
        let source = try GitRepository()
        let module = try GitRepository()
        self.module = module
        let styles = try (0..<4).map { try module.commit(["x": "style \($0)", "y/z": "style \($0 / 2)"]) }
        let list = "[submodule \"m\"]\n\tpath = m\n\turl = \(module.path)\n"
        let paths = ["index.html", "a", "b/c", "b/d", "e/f/g", "e/h", "i"]
        var (changes, trees): ([[String: String?]], [[String: String]]) = ([], [])
        var tree: [String: String] = [:]
        for number in 0..<40 {
            var change: [String: String?] = number == 0 ? ["index.html": "first"] : [:]
            for path in paths where numbers.isOne(in: 3) {
                let goes = path != "index.html" && numbers.isOne(in: 3)
                // Few texts, so that one comes back, and lengths that are equal.
                change.updateValue(goes ? nil : "text \(numbers.pick(Array(1...9)))", forKey: path)
            }
            change = change.filter { $0.value != nil || tree[$0.key] != nil }
            for (path, text) in change { tree[path] = text }
            // A file of Git LFS, and a submodule: what is published of them is in no object of the repository.
            if number == 0 || numbers.isOne(in: 3) {
                let picture = "picture \(numbers.pick(Array(1...5)))"
                change["p.png"] = try source.keep(picture)
                tree["p.png"] = picture
            }
            if number == 0 || numbers.isOne(in: 3) {
                let style = numbers.pick(Array(styles.indices))
                change["m"] = GitRepository.gitlink(styles[style])
                (tree["m/x"], tree["m/y/z"]) = ("style \(style)", "style \(style / 2)")
            }
            if number == 0 { (change[".gitmodules"], tree[".gitmodules"]) = (list, list) }
            changes.append(change)
            trees.append(tree)
        }
        let dates = (0..<40).map { _ in Int.random(in: 1_600_000_000...1_600_000_009, using: &numbers) }
        commits = try source.history(changes) { dates[$0] }
        self.trees = Dictionary(zip(commits, trees)) { first, _ in first }
        self.numbers = numbers
        remote = ScriptedRemote(source)
        remote.tip = commits[0]
        // What it names of other repositories, and its files of Git LFS, are looked for there.
        address = source.path
        folder = try TemporaryFolder(in: access("/dev/shm", W_OK) == 0 ? "/dev/shm" : nil)
        loop = try await LoopOnTrial(remote, environment: Self.environment(layout, address), in: folder)
        _ = try await loop.clock.pause()
        try note()
    }

    private func rest() async throws {
        do {
            _ = try await loop.clock.pause()
        } catch {
            let end = loop.said.suffix(3_000)
            throw TestFailure("\(error), seed \(SeededNumbers.seed)\n\(story.joined(separator: "\n"))\n\(end)")
        }
    }

    /// In the pass that something is pushed to, one call that changes the disk fails, or all of them from then on.
    private mutating func breakDisk() {
        (remote.tip, remote.fault, hold) = (numbers.pick(commits), nil, nil)
        unlink(holdFile)
        let (call, code) = (Int.random(in: 1...80, using: &numbers), numbers.pick([EIO, ENOSPC, EDQUOT]))
        brokenCall = call
        fault_arm(folder.path, call, code, code == EIO ? 0 : 1)
        say("call \(call) of the disk fails: \(String(cString: strerror(code)))")
    }

    private static func environment(_ layout: String, _ address: String) -> [String: String] {
        ["REPOSITORY": address, "SIDEKICK_LAYOUT": layout, "SIDEKICK_GRACE": "0", "SIDEKICK_KEEP_PREVIOUS": "0"]
    }

    private var www: String { folder("www") }
    private var holdFile: String { folder(".sidekick/www/hold.json") }

    private mutating func say(_ text: String) { story = story.suffix(30) + [text] }

    /// Something happens, then a pass.
    mutating func step() async throws {
        switch Int.random(in: 0..<100, using: &numbers) {
        case 0..<40:
            remote.tip = numbers.pick(commits)
            say("push \(remote.tip!.prefix(7))")
        case 40..<45:
            remote.tip = String(repeating: numbers.pick(["a", "b"]), count: 40)
            say("a lie")
        case 45..<51:
            remote.fault = numbers.pick([
                UpstreamError.unreachable(host: "host", reason: "x"), .stalled(host: "host", time: .seconds(1)),
                .repositoryNotFound(address: "x"), .closed(host: "host", reason: "x"),
            ])
            say("it fails")
        case 51..<69:
            remote.fault = nil
            say("it works")
        case 69..<72:
            hold = numbers.pick(commits)
            try folder.write(
                #"{"commit":"\#(hold!)","ref":"HEAD","since":"2026-01-01T00:00:00Z"}"#, to: ".sidekick/www/hold.json")
            say("hold \(hold!.prefix(7))")
        case 72..<79:
            hold = nil
            unlink(holdFile)
            say("resume")
        case 79..<84:
            // With another length, which a look tells; what is the same by `lstat` is a verification's.
            guard folder.has("www/index.html") else { break }
            try Data("somebody else".utf8).write(to: URL(fileURLWithPath: www + "/index.html"), options: [])
            isSpoiled = true
            say("index.html is changed in place")
        case 84..<87:
            guard let root = realpath(www, nil) else { break }
            defer { free(root) }
            try FileManager.default.removeItem(atPath: String(cString: root))
            isSpoiled = true
            say("the tree is removed")
        case 87..<88:
            // Whole, or in part, as where something is written into it meanwhile.
            let store = folder(".sidekick/www/git")
            let names = (try? FileManager.default.contentsOfDirectory(atPath: store))?.sorted() ?? []
            let stays = numbers.isOne(in: 2) ? names.filter { _ in numbers.isOne(in: 2) } : []
            for name in names where !stays.contains(name) {
                try? FileManager.default.removeItem(atPath: store + "/" + name)
            }
            if stays.isEmpty { try? FileManager.default.removeItem(atPath: store) }
            say("the store is removed\(stays.isEmpty ? "" : " but for \(stays)")")
        case 88..<90:
            await loop.end()
            say("restart")
            loop = try await LoopOnTrial(remote, environment: Self.environment(layout, address), in: folder)
            try await rest()
            try note()
            return
        default: breakDisk()
        }
        try await loop.clock.goOn()
        try await rest()
        try note()
        if fault_disarm(folder.path) >= brokenCall { diskFaults += 1 }
        brokenCall = .max
    }

    private var lastResult: String? {
        loop.journal.live?.attempts.first.map { "\($0.result)" }
    }

    private mutating func note() throws {
        let result = lastResult ?? "none"
        say("-> \(result)")
        let wanted = hold ?? remote.tip
        guard result != "failed" else {
            if let wanted { attempted.insert(wanted) }
            return
        }
        successes += 1
        published = wanted
        attempted = []
        isSpoiled = false
    }

    /// Promises 1 and 4 of docs/architecture.md, and what clients remember.
    mutating func check(_ number: Int) throws {
        guard !isSpoiled, let published else { return }
        var wrong = differences(from: published)
        for commit in attempted where !wrong.isEmpty && trees[commit] != nil {
            let others = differences(from: commit)
            // In the layout `folder` one file after the other is put in place.
            wrong = layout == "folder" || others.isEmpty ? wrong.filter { others[$0.key] != nil } : wrong
        }
        guard !wrong.isEmpty else { return }
        isBroken = true
        Issue.record(
            "pass \(number), layout \(layout), seed \(SeededNumbers.seed): \(wrong)\n\(story.joined(separator: "\n"))\n\(loop.said.suffix(3_000))"
        )
    }

    /// What is served and not as a commit has it, by its path.
    private mutating func differences(from commit: String) -> [String: String] {
        guard let tree = trees[commit] else { return [:] }
        var wrong: [String: String] = [:]
        for (path, text) in tree {
            let found = try? String(contentsOfFile: www + "/" + path, encoding: .utf8)
            if found != text { wrong[path] = "\(found ?? "absent") and not \(text)" }
            var status = stat()
            guard let found, stat(www + "/" + path, &status) == 0 else { continue }
            let tag = "\(path) \(status.st_mtim.tv_sec) \(status.st_size)"
            if let before = tags.updateValue(found, forKey: tag), before != found {
                wrong[tag] = "was \(before) and is \(found)"
            }
        }
        for path in Set(trees.values.flatMap(\.keys)).subtracting(tree.keys) {
            var status = stat()
            if lstat(www + "/" + path, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
                wrong[path] = "there"
            }
        }
        return wrong
    }

    func end() async { await loop.end() }
}

extension GitRepository {
    /// Puts an object where git-lfs has it.
    ///
    /// - Returns: the pointer to it.
    fileprivate func keep(_ text: String) throws -> String {
        let pointer = try lfsPointer(to: Data(text.utf8))
        let (first, second) = (pointer.id.prefix(2), pointer.id.dropFirst(2).prefix(2))
        try folder.write(text, to: ".git/lfs/objects/\(first)/\(second)/\(pointer.id)")
        return pointer.text
    }
}
