import Foundation
import TestSupport
import Testing

@Suite struct `A power cut` {
    /// Runs a daemon under strace: the first publish, an update of one file, one of 1,500.
    private func trace(_ layout: String) async throws -> (calls: [SystemCall], folder: TemporaryFolder) {
        let source = try GitRepository()
        func text(_ number: Int) -> String { "number \(number)" }
        // Few enough for a sync of each file and each folder, and enough for a record in several files.
        let paths = (0..<1_500).map { "folder\($0 % 40)/file\($0).html" }
        let large = Dictionary(uniqueKeysWithValues: paths[1...].map { ($0, Optional("changed")) })
        let commits = try source.history([
            Dictionary(uniqueKeysWithValues: paths.prefix(700).enumerated().map { ($1, Optional(text($0))) })
                .merging(["deep/er/only.html": "x", "deep/stays.html": "x"]) { $1 },
            ["folder7/file7.html": "small", "deep/er/only.html": nil],
            large.merging([paths[0]: nil, "new/deep/file.html": "new"]) { $1 },
        ])
        try source.push(commits[0])
        let folder = try TemporaryFolder()
        let sidekick = try Sidekick(
            [source.path, folder("www"), "--layout", layout, "--delay", "1h", "--grace", "0s"],
            environment: SystemCall.environment, wrapper: SystemCall.tracer(to: folder("trace")))
        try await sidekick.prints("published", within: 60)
        let child = try String(
            contentsOfFile: "/proc/\(sidekick.pid)/task/\(sidekick.pid)/children", encoding: .utf8)
        let pid = try #require(pid_t(child.trimmingCharacters(in: .whitespaces)))
        for (number, commit) in commits.enumerated().dropFirst() {
            // An update that comes after a while brings a spare forward, which was made meanwhile.
            try await eventually(within: 60, "a spare") {
                let trees = (try? FileManager.default.contentsOfDirectory(atPath: folder(".sidekick/www/trees"))) ?? []
                // The live one, but for exchange, and the one before from the second update on.
                let others = (layout == "link" ? 1 : 0) + (number == 2 ? 1 : 0)
                return layout == "folder" || trees.count { !$0.hasPrefix(".") } == others + 1
            }
            try source.push(commit)
            kill(pid, SIGHUP)
            try await sidekick.prints("published commit=\(commit)", within: 60)
        }
        kill(pid, SIGTERM)
        #expect(try await sidekick.wait() == 0)
        #expect(try differences(folder("www"), from: source.path, commits[2]) == [])
        return (try SystemCall.read(folder("trace")), folder)
    }

    @Test(arguments: ["link", "exchange"])
    func `takes nothing of a tree that is visible`(layout: String) async throws {
        let (calls, folder) = try await trace(layout)
        let (www, home) = (folder("www"), folder(".sidekick/www"))
        var disk = PowerCut()
        var summary = SyncSummary(folder.path)
        var switches = 0
        var isSwitched = false
        for call in calls {
            if call.name == "rename", call.paths.contains(www) {
                switches += 1
                isSwitched = true
                summary.show(call)
                let source = call.paths[0]
                let tree = disk.targets[source].map { folder($0) } ?? source
                let name = (tree as NSString).lastPathComponent.replacing(/^\.next-/, with: "")
                let segments = disk.standing.filter { $0.hasPrefix(home + "/segments/") }
                #expect(disk.standing.contains(tree + "/folder7/file7.html") && !segments.isEmpty)
                for path in [tree, "\(home)/records/\(name)"] + segments {
                    #expect(disk.losses(of: path) == [], "switch \(switches)")
                }
            }
            disk.follow(call)
            if call.name.hasSuffix("sync") || call.name == "syncfs" {
                summary.note(call)
                if isSwitched { #expect(call.paths == [folder.path], "the first sync after switch \(switches)") }
                isSwitched = false
            }
        }
        print("\(layout)\n\(summary.text)")
        #expect(switches == 3 && !isSwitched)
        #expect(disk.losses(of: www) == [])
    }

    @Test func `takes nothing of a burst that has begun`() async throws {
        let (calls, folder) = try await trace("folder")
        let (www, home) = (folder("www"), folder(".sidekick/www"))
        var disk = PowerCut()
        var summary = SyncSummary(folder.path)
        var bursts = 0
        var isBursting = false
        for call in calls {
            if call.name == "rename", call.paths[0].hasPrefix(home + "/staging/"), call.paths[1].hasPrefix(www + "/") {
                summary.show(call)
                if !isBursting {
                    bursts += 1
                    let staged = PowerCut.parent(call.paths[0])
                    let segments = disk.standing.filter { $0.hasPrefix(home + "/segments/") }
                    #expect(!segments.isEmpty)
                    for path in [staged, home + "/intent", home + "/record.next"] + segments {
                        #expect(disk.standing.contains(path))
                        #expect(disk.losses(of: path) == [], "burst \(bursts)")
                    }
                }
                isBursting = true
            }
            if call.name == "rename", call.paths[1] == home + "/record" {
                summary.show(call)
                #expect(disk.losses(of: www) == [], "burst \(bursts) is on the disk before its record says so")
            }
            if call.name == "unlink", call.paths[0] == home + "/intent" {
                summary.show(call)
                #expect(disk.losses(of: home + "/record") == [], "burst \(bursts)")
                isBursting = false
            }
            disk.follow(call)
            if call.name.hasSuffix("sync") || call.name == "syncfs" { summary.note(call) }
        }
        print("folder\n\(summary.text)")
        #expect(bursts == 3 && !isBursting)
        #expect(disk.losses(of: www) == [])
    }
}
