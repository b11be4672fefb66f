import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `What a process leaves behind` {
    private func recovered(_ notices: [Notice]) -> Bool {
        notices.contains { if case .recovered = $0 { true } else { false } }
    }

    @Test func `an unfinished tree is removed at the start, and the live one stays`() throws {
        let site = try Site(.link)
        let commit = try site.commit(["a": "1"])
        try site.publish(commit)
        try site.folder.write("half", to: ".sidekick/www/trees/.new-\(commit)/deep/file")
        symlink(".sidekick/www/trees/nowhere", site.state + "/trees/.next-nowhere")
        #expect(try recovered(site.open()))
        #expect(site.names("trees") == [commit])
        #expect(try site.shows(commit))
        #expect(try !recovered(site.open()))
    }

    @Test func `a record whose tree was never finished is removed`() throws {
        let site = try Site(.link)
        let first = try site.commit(["a": "1"])
        try site.publish(first)
        // The record is written before the tree gets its name.
        let records = site.state + "/records/"
        try FileManager.default.copyItem(atPath: records + first, toPath: records + String(repeating: "ab", count: 20))
        try site.open()
        #expect(site.names("records") == [first])
    }

    @Test func `a record that an error left behind is not taken for that of the tree that got its inode`() throws {
        let site = try Site(.exchange)
        try site.publish(["a": "1"])
        let second = try site.commit(["a": "2"])
        let staged = try site.stage(second)
        let pool = try TreePool(site.publisher.destination)
        var orphan = try #require(try pool.record(of: site.names("records")[0]))
        orphan.root = staged.record.root
        try pool.write(orphan, of: String(repeating: "0", count: 40))
        _ = try site.publisher.publish(staged)
        #expect(try site.publisher.published()?.commit == ObjectID(hex: second))
        #expect(try site.differences(second) == [])
        try site.open()
        #expect(try site.publisher.published()?.commit == ObjectID(hex: second))
    }

    @Test func `a folder that was exchanged away when the process died is cleared, its foreign files kept`() throws {
        let site = try Site(.folder)
        try site.publish(["a": "1", "dir/b": "1"])
        site.close()
        site.options.layout = .link
        let commit = try site.commit(["a": "2"])
        _ = try site.stage(commit)
        site.close()
        // The exchange was done, and nothing after it.
        try site.folder.write("mine", to: "www/dir/mine")
        #expect(rename(site.www, site.state + "/trees/.next-" + commit) == 0)
        #expect(symlink(".sidekick/www/trees/" + commit, site.www) == 0)
        try site.open()
        #expect(try site.shows(commit) && site.differences(commit) == [])
        #expect(site.names("trees") == [commit])
        #expect(try site.lost() == ["dir/mine": "mine"])
    }

    @Test func `the link that an exchange leaves for those on the way goes when its grace is over`() throws {
        let site = try Site(.exchange, grace: 1)
        site.options.keepPrevious = .seconds(600)
        try site.publish(["a": "1"])
        try site.publish(["a": "2"])
        func left() -> Int { site.names("trees").count { $0.hasPrefix(".") } }
        #expect(left() == 1)
        #expect(try #require(try site.tidy().next) <= .seconds(1))
        try site.open()
        #expect(left() == 1)
        usleep(1_100_000)
        try site.tidy()
        #expect(left() == 0)
        #expect(try site.folder.read(".sidekick/www/previous/a") == "1")
    }

    @Test(
        .enabled(if: geteuid() == 0, "what nobody may rename needs root"), arguments: [LayoutKind.link, .exchange])
    func `a switch that the disk refuses is taken back, and the tree before stays what it was`(layout: LayoutKind)
        throws
    {
        let site = try Site(layout, grace: 1000)
        site.options.keepPrevious = .seconds(600)
        let commits = try (1...3).map { try site.commit(["a": "\($0)"]) }
        for commit in commits[..<2] { try site.publish(commit) }
        let names = site.names("trees")
        let staged = try site.stage(commits[2])
        // In link nobody may change the parent, in exchange DESTINATION may not be moved.
        let obstacle = layout == .link ? site.folder.path : site.www
        try Command.run(["chattr", "+i", obstacle])
        defer { _ = try? Command.run(["chattr", "-i", obstacle]) }
        #expect(throws: DiskError.self) { try site.publisher.publish(staged) }
        #expect(try site.shows(commits[1]) && site.folder.read(".sidekick/www/previous/a") == "1")
        let left = site.names("trees").filter { !names.contains($0) }
        #expect(left == [commits[2]], "\(left)")
        try Command.run(["chattr", "-i", obstacle])
        _ = try site.publisher.publish(staged)
        #expect(try site.shows(commits[2]) && site.folder.read(".sidekick/www/previous/a") == "2")
        #expect(try site.differences(commits[2]) == [])
    }

    @Test func `a folder of foreign files at the name of the next link is kept`() throws {
        let site = try Site(.link)
        try site.publish(["a": "1"])
        try site.folder.write("mine", to: ".sidekick/www/trees/.next-mine/mine")
        try site.open()
        #expect(site.names("trees").allSatisfy { !$0.hasPrefix(".") })
        #expect(try site.lost() == ["mine": "mine"])
        #expect(try site.read("a") == "1")
    }

    @Test(arguments: LayoutKind.allCases)
    func `an object that is missing from the store changes nothing that is served`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let first = try site.commit(["a": "1", "b": "1"])
        try site.publish(first)
        let second = try site.commit(["a": "2", "b": "a blob that will be gone"])
        let blob = try site.source.git("rev-parse", "HEAD:b")
        try FileManager.default.removeItem(
            atPath: site.source.folder(".git/objects/\(blob.prefix(2))/\(blob.dropFirst(2))"))
        #expect(throws: GitError.self) { try site.publish(second) }
        #expect(try site.shows(first) && site.differences(first) == [])
        #expect(site.names("staging") == [])
        if layout != .folder {
            #expect(site.names("trees") == (layout == .link ? [first] : []) && site.names("records") == [first])
        }
    }

    @Test(arguments: LayoutKind.allCases)
    func `a pass that is cancelled leaves nothing behind`(layout: LayoutKind) async throws {
        let site = try Site(layout)
        let first = try site.commit(["a": "1"])
        try site.publish(first)
        let before = try site.folder.snapshot()
        let second = try site.commit(["a": "2", "b": "2"])
        let pass = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try site.stage(second)
        }
        await #expect(throws: CancellationError.self) { _ = try await pass.value }
        #expect(try site.folder.snapshot() == before)
        try site.publish(second)
        #expect(try site.differences(second) == [])
    }
}
