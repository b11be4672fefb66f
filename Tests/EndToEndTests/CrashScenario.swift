import Foundation
import TestSupport
import Testing

/// Something that sidekick does in one pass, and that may end at any call that changes the disk.
struct CrashScenario: Sendable, CustomTestStringConvertible {
    let name: String
    let site: Result<CrashSite, any Error>
    /// What was published before, one pass each.
    var before: [Step]
    /// The pass with the fault.
    let step: Step
    /// Changes the folder between the passes before and the one with the fault.
    var prepare: @Sendable (TemporaryFolder) throws -> Void = { _ in }
    /// Which call changes what is shown: the first of these is in the middle of what is always tried.
    var isSwitch: @Sendable (FaultShim.Call, TemporaryFolder) -> Bool = { call, folder in
        let paths = call.name == "renameat2" ? call.paths : Array(call.paths.suffix(1))
        return paths.contains { $0 == folder("www") || $0.hasPrefix(folder("www/")) }
    }
    /// Whether the repository is on a server, and comes in packs.
    var isRemote = false
    /// Whether commits are here of which not all is.
    var isPartial = false
    /// Whether it is about what a daemon does when the switch is over, and nobody waits.
    var isBackground = false
    var sample = Sample.small
    /// What must be true when the next start has been at work.
    var isDone: @Sendable (TemporaryFolder) throws -> Bool = { _ in true }

    struct Step: Sendable {
        let layout: String
        /// By its place in the history.
        let commit: Int
        var arguments: [String] = []
    }

    /// What is tried when not everything is: every call around the switch is killed, and a number of others is killed or
    /// fails. Together they are to take a minute.
    struct Sample: Sendable {
        let before: Int
        let after: Int
        let kills: Int
        let failures: Int

        static let small = Sample(before: 3, after: 4, kills: 1, failures: 3)
        static let large = Sample(before: 4, after: 6, kills: 2, failures: 4)
        static let burst = Sample(before: 4, after: 12, kills: 2, failures: 4)
    }

    var testDescription: String { name }

    /// The list to add to.
    static let all: [CrashScenario] =
        firsts + updates + conversions + [otherPolicy] + names + compactions + background + fetches + composed
        + compressed + upgrades + signed + [folder]

    private static let layouts = ["link", "exchange", "folder"]

    private static let firsts = layouts.map { layout in
        CrashScenario(
            name: "first publish, \(layout)", site: CrashSite.small, before: [], step: Step(layout: layout, commit: 0),
            prepare: { if layout == "folder" { try putForeignFile(in: $0) } },
            sample: layout == "folder" ? .burst : .large)
    }

    /// The fourth of four commits: the third is visible, the second is `previous`, the first is the spare.
    private static let updates = layouts.flatMap { layout in
        let sites = [
            ("an update", CrashSite.small, layout == "folder" ? Sample.burst : .large),
            ("an update of 600 files", CrashSite.wide, Sample(before: 1, after: 1, kills: 3, failures: 3)),
        ]
        return sites.map { name, site, sample in
            CrashScenario(
                name: "\(name), \(layout)", site: site, before: (0...2).map { Step(layout: layout, commit: $0) },
                step: Step(layout: layout, commit: 3),
                prepare: { if layout == "folder" { try putForeignFile(in: $0) } }, sample: sample)
        }
    }

    /// Together with an update; between `link` and `exchange` there is a spare for it.
    private static let conversions = layouts.flatMap { old in
        layouts.filter { $0 != old }.map { new in
            let first = old == "folder" ? 2 : new == "folder" ? 1 : 0
            var scenario = CrashScenario(
                name: "\(old) becomes \(new)", site: CrashSite.small,
                before: (first...2).map { Step(layout: old, commit: $0) },
                step: Step(layout: new, commit: 3),
                prepare: { if old == "folder" { try putForeignFile(in: $0) } })
            if new == "folder" {
                // The tree is taken over when its record is that of a folder, before anything is renamed.
                scenario.isSwitch = { call, folder in call.paths.last == folder(".sidekick/www/record") }
                scenario.sample = Sample(before: 4, after: 5, kills: 1, failures: 5)
            }
            return scenario
        }
    }

    /// No tree can be brought forward, and those of the old policy are retired.
    private static let otherPolicy = CrashScenario(
        name: "another policy, link", site: CrashSite.small, before: (0...2).map { Step(layout: "link", commit: $0) },
        step: Step(layout: "link", commit: 3, arguments: ["--mtime", "content"]))

    /// Two trees of one commit exchange their names: that of the time before is `previous`, or it is the one that is live.
    private static let names = [
        ("a commit that was shown before, link", [3, 2]), ("another tree of the live commit, link", [2, 3]),
    ].map {
        name, before in
        var scenario = CrashScenario(
            name: name, site: CrashSite.small, before: before.map { Step(layout: "link", commit: $0) },
            step: Step(layout: "link", commit: 3, arguments: before.last == 3 ? ["--mtime", "content"] : []))
        scenario.isSwitch = { call, _ in
            call.name == "renameat2" && call.paths.contains { $0.contains("/trees/") && $0.hasSuffix("-2") }
        }
        scenario.sample = .large
        return scenario
    }

    /// An update after which the store has to be compacted. Half of what is sampled is around the exchange of the stores, the
    /// update itself has scenarios of its own.
    private static let compactions = ["link", "folder"].map { layout in
        var scenario = CrashScenario(
            name: "compaction, \(layout)", site: CrashSite.small,
            before: (1...2).map { Step(layout: layout, commit: $0) }, step: Step(layout: layout, commit: 3),
            prepare: { folder in
                try PackPile.shared.get().copy(to: folder(".sidekick/www/git"))
                if layout == "folder" { try putForeignFile(in: folder) }
            })
        scenario.isSwitch = { call, folder in
            call.name == "renameat2" && call.paths == [folder(".sidekick/www/git.new"), folder(".sidekick/www/git")]
        }
        scenario.sample = Sample(before: 5, after: 8, kills: 2, failures: 4)
        scenario.isDone = { try PackPile.count(in: $0(".sidekick/www/git")) < 10 }
        return scenario
    }

    /// A copy of the live tree is made, of hard links, or the spare that there is is brought forward to what is live.
    private static let background = ["link", "exchange"].flatMap { layout in
        [("a spare is made", 2...2), ("a spare is brought forward", 0...2)].map { name, before in
            CrashScenario(
                name: "\(name), \(layout)", site: CrashSite.small,
                before: before.map { Step(layout: layout, commit: $0) },
                step: Step(layout: layout, commit: 3), isBackground: true,
                sample: Sample(before: 0, after: 0, kills: 6, failures: 4))
        }
    }

    /// From a server, shallow, with and without the proof that the new commit follows the old one.
    private static let fetches = [
        ("a first fetch", 0..<0, 0, [String]()), ("a fetch", 0..<3, 3, []),
        ("a fetch that must follow", 0..<3, 3, ["--fast-forward-only"]),
    ].map { name, before, commit, arguments in
        var scenario = CrashScenario(
            name: name, site: CrashSite.small, before: before.map { Step(layout: "link", commit: $0) },
            step: Step(layout: "link", commit: commit, arguments: arguments), isRemote: true)
        // The pack is whole and gets its name.
        scenario.isSwitch = { call, folder in
            call.paths.last?.hasPrefix(folder(".sidekick/www/git/objects/pack/pack-")) == true
        }
        scenario.sample = Sample(before: 4, after: 6, kills: 2, failures: 5)
        return scenario
    }

    /// Submodules and files of Git LFS: what belongs to a commit comes before its tree is made.
    private static let composed = layouts.map { layout in
        CrashScenario(
            name: "an update of submodules and files of Git LFS, \(layout)", site: CrashSite.composed,
            before: (0...2).map { Step(layout: layout, commit: $0) }, step: Step(layout: layout, commit: 3),
            prepare: { if layout == "folder" { try putForeignFile(in: $0) } },
            sample: Sample(before: 3, after: 3, kills: 6, failures: 8))
    }

    /// A site that is shown once without its compressed files and then with them, and an update of both.
    private static let compressed = layouts.flatMap { layout in
        [("a first publish", 0..<0, 0), ("an update", 0..<3, 3)].map { name, before, commit in
            let arguments = ["--compress", "gzip"]
            var scenario = CrashScenario(
                name: "\(name) with compressed files, \(layout)", site: CrashSite.compressible,
                before: before.map { Step(layout: layout, commit: $0, arguments: arguments) },
                step: Step(layout: layout, commit: commit, arguments: arguments),
                prepare: { if layout == "folder" { try putForeignFile(in: $0) } },
                sample: Sample(before: 2, after: layout == "folder" ? 12 : 4, kills: 3, failures: 4))
            scenario.isDone = { $0.has("www/index.html.gz") && $0.has("www/css/site.css.gz") }
            return scenario
        }
    }

    /// One folder of a repository on a server, in the order in which its parts come.
    private static let folder = {
        let arguments = ["--subdirectory", "docs"]
        var scenario = CrashScenario(
            name: "a fetch of one folder", site: CrashSite.folder,
            before: (0..<3).map { Step(layout: "link", commit: $0, arguments: arguments) },
            step: Step(layout: "link", commit: 3, arguments: arguments), isRemote: true, isPartial: true)
        scenario.isSwitch = { call, folder in
            call.paths.last?.hasPrefix(folder(".sidekick/www/git/objects/pack/pack-")) == true
        }
        scenario.sample = Sample(before: 3, after: 6, kills: 5, failures: 6)
        return scenario
    }()

    /// The first pass of this program where 0.1.0 was.
    private static let upgrades = layouts.map { layout in
        CrashScenario(
            name: "an upgrade, \(layout)", site: CrashSite.small,
            before: (0...2).map { Step(layout: layout, commit: $0) }, step: Step(layout: layout, commit: 3),
            prepare: { folder in
                try becomeOld(folder)
                if layout == "folder" { try putForeignFile(in: folder) }
            }, sample: layout == "folder" ? .burst : .large)
    }

    /// Writes the state folder as 0.1.0 had it: records of version 2, and another name for paths that a spare is behind in.
    private static func becomeOld(_ folder: TemporaryFolder) throws {
        let (home, manager) = (folder(".sidekick/www"), FileManager.default)
        let records = ((try? manager.contentsOfDirectory(atPath: home + "/records")) ?? []).map { "records/" + $0 }
        var count = 0
        for name in records + ["record"] where folder.has(".sidekick/www/" + name) {
            let file = URL(fileURLWithPath: home + "/" + name)
            let times = try manager.attributesOfItem(atPath: file.path)[.modificationDate]
            let bytes = try Data(contentsOf: file)
            let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 9, omittingEmptySubsequences: false)
            guard lines.count == 10, String(decoding: lines[0], as: UTF8.self) == "sidekick record 3" else {
                throw TestFailure("\(name) is no record of version 3")
            }
            var old = Data("sidekick record 2\n".utf8)
            for line in lines[1...3] { old += line + Data("\n".utf8) }
            // The folder that is published, and how, each with a NUL; no kinds of rows, and no objects of Git LFS.
            old += Data("\0mtime=commit symlinks=skip\0".utf8)
            for line in lines[6...7] { old += line + Data("\n".utf8) }
            old += lines[9]
            // In place: what a record is of is known by the inode of its tree.
            try old.write(to: file)
            try manager.setAttributes([.modificationDate: times as Any], ofItemAtPath: file.path)
            count += 1
        }
        guard count > 0 else { throw TestFailure("there is no record") }
        if folder.has(".sidekick/www/dirty") {
            try manager.moveItem(atPath: home + "/dirty", toPath: home + "/plans")
        } else {
            try manager.createDirectory(atPath: home + "/plans", withIntermediateDirectories: false)
        }
    }

    /// From a server: what has come and was not looked at yet is no more trusted than before.
    private static let signed = ["link", "folder"].map { layout in
        let keys = try? CrashSite.signed.get().keys?.folder("trusted")
        let arguments = ["--trusted-keys-file", keys ?? "/nonexistent"]
        return CrashScenario(
            name: "an update of signed commits, \(layout)", site: CrashSite.signed,
            before: (0..<3).map { Step(layout: layout, commit: $0, arguments: arguments) },
            step: Step(layout: layout, commit: 3, arguments: arguments),
            prepare: { if layout == "folder" { try putForeignFile(in: $0) } }, isRemote: true,
            sample: Sample(before: 3, after: 4, kills: 3, failures: 4))
    }

    private static func putForeignFile(in folder: TemporaryFolder) throws {
        try folder.write("mine", to: "www/mine.txt")
    }
}
