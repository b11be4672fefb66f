import Faults
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

/// The layouts that show one whole tree after another.
private let layouts: [LayoutKind] = [.link, .exchange]

@Suite struct `Trees that trail the live one` {
    private func big(_ layout: LayoutKind, count: Int = 300) throws -> (Site, [String: String?]) {
        let site = try Site(layout)
        var files: [String: String?] = [:]
        for number in 0..<count { files["folder\(number)/file"] = "\(number)" }
        try site.publish(files)
        return (site, files)
    }

    @Test(arguments: layouts, [false, true])
    func `an update brings a spare forward, and makes no folder but those of the change`(
        layout: LayoutKind, restarts: Bool
    ) throws {
        let (site, _) = try big(layout)
        try site.tidy()
        #expect(site.names("trees").count == (layout == .link ? 2 : 1), "one spare was made")
        for number in 0..<6 {
            if restarts { try site.open() }
            let spare = try #require(try spares(site).first)
            let inode = try #require(try FileStatus.of(site.state + "/trees/" + spare)).inode
            let commit = try site.commit(["folder7/file": "new \(number)", "fresh\(number)/file": "x"])
            let staged = try site.stage(commit)
            #expect(staged.filesWritten == 2)
            _ = try site.publisher.publish(staged)
            #expect(try site.differences(commit) == [])
            let shown = try #require(try rootInode(site))
            #expect(shown == inode, "the spare is what is live now")
            #expect(site.names("dirty").isEmpty)
        }
        #expect(try site.lost() == [:])
    }

    /// link(2) has EMLINK: ext4 gives a file 65,000 names. And every other call may fail, too.
    @Test(arguments: layouts)
    func `where a file can have no more names, a spare has a copy of it`(layout: LayoutKind) throws {
        var copies = 0
        for call in 1... {
            let site = try Site(layout)
            let first = try site.commit(["a": "1", "d/b": "2"], links: ["l": "a"])
            try site.publish(first)
            fault_arm(site.folder.path, call, EMLINK, 0)
            _ = try? site.tidy()
            let calls = fault_disarm(site.folder.path)
            // A link of an older tree is another file than that of the visible one.
            for spare in try spares(site) {
                for name in ["a", "d/b", "l"] {
                    let (here, there) = (
                        try FileStatus.of(site.state + "/trees/\(spare)/\(name)"), try site.status(name)
                    )
                    guard let here, let there, here.inode != there.inode else { continue }
                    copies += 1
                    // A link's own time shows nowhere.
                    #expect(name == "l" || here.mtime == there.mtime, "call \(call)")
                    #expect(here.permissions == there.permissions, "call \(call)")
                }
            }
            for text in ["3", "4"] {
                let next = try site.commit(["a": text])
                try site.publish(next)
                #expect(try site.differences(next) == [], "call \(call)")
                try site.tidy()
            }
            #expect(try site.lost() == [:] && site.publisher.survey() == 0, "call \(call)")
            if calls < call { break }
        }
        #expect(copies >= 3, "each of the three was copied once")
    }

    private func spares(_ site: Site) throws -> [String] {
        let live = (try? FileManager.default.destinationOfSymbolicLink(atPath: site.www)).map {
            ($0 as NSString).lastPathComponent
        }
        return site.names("trees").filter { $0 != live }
    }

    private func rootInode(_ site: Site) throws -> UInt64? {
        let resolved = try #require(realpath(site.www, nil))
        defer { free(resolved) }
        return try FileStatus.of(String(cString: resolved))?.inode
    }

    @Test(arguments: layouts)
    func `files that did not change are one inode in all trees, and new ones are linked to the spare later`(
        layout: LayoutKind
    ) throws {
        let (site, files) = try big(layout, count: 20)
        try site.tidy()
        let before = try files.keys.reduce(into: [:]) { $0[$1] = try site.status($1)?.inode }
        for number in 0..<4 {
            try site.publish(["folder3/file": "new \(number)"])
            for name in files.keys where name != "folder3/file" {
                #expect(try site.status(name)?.inode == before[name], "\(name)")
            }
        }
        // The spare that lacks the last two changes gets the newest by a link, not by a copy.
        let staged = try site.stage(try site.commit(["other": "x"]))
        #expect(staged.filesWritten == 1)
    }

    @Test(arguments: layouts)
    func `an update that was interrupted anywhere leaves a spare that the next one completes`(layout: LayoutKind) throws
    {
        let (site, _) = try big(layout, count: 30)
        try site.tidy()
        for number in 0..<5 {
            // As a process that was killed leaves it: the plan, and anything at its paths.
            let spare = try #require(try spares(site).first)
            let plan = ["folder1/file", "folder2/file", "folder3", "folder3/file", "gone/deep/file"]
            try TreePool(Destination(site.www, state: nil)).noteDirty(plan.map { TreePath($0) }, of: spare)
            let tree = site.state + "/trees/" + spare
            unlink(tree + "/folder1/file")
            unlink(tree + "/folder2/file")
            try Data("half".utf8).write(to: URL(fileURLWithPath: tree + "/folder2/file"))
            try FileManager.default.createDirectory(atPath: tree + "/gone/deep", withIntermediateDirectories: true)
            try Data("half".utf8).write(to: URL(fileURLWithPath: tree + "/gone/deep/file"))
            unlink(tree + "/folder3/file")
            rmdir(tree + "/folder3")
            symlink("/etc", tree + "/folder3")
            try site.open()
            let commit = try site.commit(["other": "\(number)"])
            try site.publish(commit)
            #expect(try site.differences(commit) == [], "round \(number)")
        }
        #expect(try site.lost() == [:])
    }

    @Test(arguments: layouts)
    func `a file that somebody changed in place is found before it is linked on, and never shown again`(
        layout: LayoutKind
    ) throws {
        let (site, _) = try big(layout, count: 10)
        try site.tidy()
        try site.publish(["folder1/file": "first"])
        // The spare lacks `first` and would link it from the live tree.
        try Data("edited".utf8).write(to: URL(fileURLWithPath: site.www + "/folder1/file"), options: [])
        var notices = try site.publish(["other": "1"])
        #expect(notices.contains { if case .drifted = $0 { true } else { false } })
        for number in 2..<6 {
            #expect(try site.read("folder1/file") == "first")
            let commit = try site.commit(["other": "\(number)"])
            notices = try site.publish(commit)
            #expect(try site.differences(commit) == [], "update \(number)")
            #expect(notices.isEmpty)
        }
        #expect(try site.lost() == ["folder1/file": "edited"])
    }

    @Test(arguments: layouts, [false, true])
    func `trees that are never shown do not pile up, neither at first nor when the live one was removed`(
        layout: LayoutKind, isLost: Bool
    ) throws {
        let site = try Site(layout)
        if isLost {
            try site.publish(["a": "0"])
            let root = try #require(realpath(site.www, nil))
            defer { free(root) }
            try FileManager.default.removeItem(atPath: String(cString: root))
        }
        // As a gate that refuses, or a kill in between, and nobody who cleans up.
        for number in 1...6 { _ = try site.stage(site.commit(["a": "\(number)"])) }
        let trees = try FileManager.default.contentsOfDirectory(atPath: site.state + "/trees")
        #expect(trees.count <= 2, "\(trees)")
    }

    @Test(arguments: LayoutKind.allCases)
    func `drift that was found is mended in every tree`(layout: LayoutKind) throws {
        let (site, _) = try big(layout, count: 10)
        try site.tidy()
        let commit = try site.source.head
        try Data("edited".utf8).write(to: URL(fileURLWithPath: site.www + "/folder1/file"), options: [])
        unlink(site.www + "/folder2/file")
        try site.open()
        #expect(try site.publisher.survey() == 2)
        #expect(try !site.shows(commit))
        try site.publish(commit)
        #expect(try site.shows(commit) && site.differences(commit) == [])
        for number in 0..<5 {
            let commit = try site.commit(["other": "\(number)"])
            try site.publish(commit)
            #expect(try site.differences(commit) == [], "update \(number)")
        }
        #expect(try site.publisher.survey() == 0)
        #expect(try site.lost() == ["folder1/file": "edited"])
    }

    @Test(arguments: layouts)
    func `the tree that was live before is previous for as long as it should be`(layout: LayoutKind) throws {
        let site = try Site(layout)
        site.options.keepPrevious = .seconds(600)
        try site.publish(["app.1.js": "one", "index.html": "1"])
        try site.tidy()
        #expect(!site.folder.has(".sidekick/www/previous"))
        for number in 2..<8 {
            try site.publish(["app.\(number - 1).js": nil, "app.\(number).js": "\(number)", "index.html": "\(number)"])
            #expect(try site.folder.read(".sidekick/www/previous/index.html") == "\(number - 1)")
            try site.tidy()
            #expect(try site.folder.read(".sidekick/www/previous/index.html") == "\(number - 1)")
        }
        site.options.keepPrevious = .zero
        try site.open()
        try site.tidy()
        #expect(!site.folder.has(".sidekick/www/previous"))
    }

    @Test(arguments: layouts)
    func `updates that come faster than the grace never make a whole new tree once there are spares`(
        layout: LayoutKind
    ) throws {
        let site = try Site(layout, grace: 1000)
        var files: [String: String?] = [:]
        for number in 0..<50 { files["folder\(number)/file"] = "\(number)" }
        try site.publish(files)
        for number in 0..<12 {
            try site.tidy()
            let commit = try site.commit(["folder1/file": "\(number)"])
            try site.publish(commit)
            #expect(try site.differences(commit) == [])
        }
        let live = layout == .exchange ? 1 : 0
        #expect(site.names("trees").count == 1 + Upkeep.maxSpares - live, "a second spare was made")
    }

    @Test(arguments: layouts)
    func `work that is stopped leaves nothing half done`(layout: LayoutKind) throws {
        let (site, _) = try big(layout, count: 100)
        for limit in [0, 1, 50, 99] {
            var asked = 0
            let counter = Counter()
            _ = try site.publisher.tidy(makingSpares: true) {
                counter.value += 1
                return counter.value > limit
            }
            asked = counter.value
            #expect(asked > 0)
            #expect(site.names("trees").allSatisfy { !$0.hasPrefix(".new") || $0 == ".new-spare" })
        }
        #expect(try site.open().isEmpty, "that was no crash")
        try site.tidy()
        #expect(site.names("trees").allSatisfy { !$0.hasPrefix(".") })
        let commit = try site.commit(["folder1/file": "x"])
        let staged = try site.stage(commit)
        #expect(staged.filesWritten == 1)
    }

    private final class Counter: @unchecked Sendable { var value = 0 }
}

@Suite struct `Layouts that become one another` {
    private static let pairs = LayoutKind.allCases.flatMap { from in
        LayoutKind.allCases.filter { $0 != from }.map { (from, $0) }
    }

    @Test(arguments: pairs.indices)
    func `nothing is lost, nothing is absent, and unchanged files keep time and ETag`(number: Int) throws {
        let (from, to) = Self.pairs[number]
        let site = try Site(from)
        let first = try site.commit(["a": "1", "same": "x", "dir/b": "1"], links: ["link": "a"])
        try site.publish(first)
        try site.tidy()
        try site.publish(try site.commit(["a": "2"]))
        if from == .folder { try site.folder.write("mine", to: "www/foreign") }
        let time = try site.mtime("same")
        site.close()
        site.options.layout = to
        #expect(try site.open().isEmpty)
        #expect(try site.read("a") == "2", "opening alone shows what was shown")
        for number in 3..<6 {
            let commit = try site.commit(["a": "\(number)"])
            let staged = try site.stage(commit)
            #expect(staged.filesWritten == 1, "what is there is linked, not written")
            _ = try site.publisher.publish(staged)
            let expected = from == .folder && to != .folder ? [] : from == .folder ? ["surplus: foreign"] : []
            #expect(try site.differences(commit) == expected)
            #expect(try site.shows(commit))
            #expect(try site.mtime("same") == time)
            try site.tidy()
        }
        let isLink = try FileStatus.of(site.www)?.kind == .link
        #expect(isLink == (to == .link))
        #expect(try site.lost() == (from == .folder ? ["foreign": "mine"] : [:]))
        #expect(site.folder.has(".sidekick/www/record") == (to == .folder))
        if to == .folder { #expect(site.names("trees").isEmpty && site.names("records").isEmpty) }
        // And nobody has to say so again.
        site.close()
        site.options.layout = nil
        try site.open()
        #expect(try site.publisher.layoutKind == to)
    }

    @Test(.enabled(if: geteuid() == 0, "a mount needs root")) func `exchange refuses a mount point with what to do`()
        throws
    {
        let site = try Site(.exchange)
        try FileManager.default.createDirectory(atPath: site.www, withIntermediateDirectories: true)
        try Command.run(["mount", "-t", "tmpfs", "tmpfs", site.www])
        defer { umount2(site.www, Int32(MNT_DETACH)) }
        let error = #expect(throws: PublishingError.self) { try site.publish(["a": "1"]) }
        #expect(throws: PublishingError.self) { try Publisher.look(at: site.www, state: nil, options: site.options) }
        #expect(error?.remedy.contains("SIDEKICK_LAYOUT=folder") == true)
    }
}
