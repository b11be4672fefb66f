import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

private let layouts: [LayoutKind] = [.link, .exchange]

@Suite struct `A spare between two updates` {
    /// What a publish leaves in the store, which the background reads.
    private func publish(_ site: Site, _ files: [String: String?]) throws -> String {
        try site.publishFromStore(files).commit
    }

    /// Three commits: the live one, and the last two changed many files.
    private func site(_ layout: LayoutKind, grace: Double = 0) throws -> (Site, live: String) {
        let site = try Site(layout, grace: grace)
        func files(_ text: String, _ numbers: Range<Int>) -> [String: String?] {
            numbers.reduce(into: [:]) { $0["folder\($1 % 7)/file\($1)"] = "\(text) \($1)" }
        }
        _ = try publish(site, files("first", 0..<120).merging(["swap": "file", "gone/file": "x"]) { $1 })
        try site.tidy()
        _ = try publish(site, files("second", 0..<80))
        let live = try publish(
            site, files("third", 40..<100).merging(["swap": nil, "swap/in": "x", "gone/file": nil]) { $1 })
        return (site, live)
    }

    private func spares(_ site: Site) throws -> [TreePool.Tree] {
        let live = try TreeLayout(site.options.layout!, Destination(site.www, state: nil), site.options).liveName()
        return try TreePool(Destination(site.www, state: nil)).spares(besides: live)
    }

    private func inodes(_ root: String) throws -> [String: UInt64] {
        var found: [String: UInt64] = [:]
        for case let name as String in FileManager.default.enumerator(atPath: root) ?? .init() {
            let status = try #require(try FileStatus.of(root + "/" + name))
            if status.kind != .folder { found[name] = status.inode }
        }
        return found
    }

    private func shown(_ site: Site) throws -> String {
        let resolved = try #require(realpath(site.www, nil))
        defer { free(resolved) }
        return String(cString: resolved)
    }

    @Test(arguments: layouts)
    func `is brought forward to what is visible, file by file the same inodes`(layout: LayoutKind) throws {
        let (site, live) = try site(layout)
        #expect(try !spares(site).contains { $0.record.commit.description == live })
        #expect(try site.tidy().notices.isEmpty)
        let ready = try #require(try spares(site).first { $0.record.commit.description == live })
        #expect(ready.ended == 0 && ready.dirty.isEmpty)
        #expect(try differences(site.state + "/trees/" + ready.name, from: site.source.path, live) == [])
        #expect(try inodes(site.state + "/trees/" + ready.name) == inodes(shown(site)))
        #expect(site.names("dirty").isEmpty)
        // It is the one that the next update takes, and a second look finds nothing to do.
        let root = ready.record.root
        #expect(try site.tidy().notices.isEmpty && spares(site).contains { $0.name == ready.name })
        let commit = try publish(site, ["folder1/file1": "fourth"])
        #expect(try FileStatus.of(shown(site))?.inode == root)
        #expect(try site.differences(commit) == [])
        #expect(try site.lost() == [:])
    }

    @Test(arguments: layouts)
    func `that could not be finished costs no tree and no byte`(layout: LayoutKind) throws {
        for limit in [0, 1, 3, 20, 60, 110, 150] {
            let (site, live) = try site(layout)
            let counter = Counter()
            _ = try site.publisher.tidy(makingSpares: true) {
                counter.value += 1
                return counter.value > limit
            }
            #expect(try site.differences(live) == [])
            let count = site.names("trees").count
            // As well after a kill: what was begun is known by its plan.
            if limit % 2 == 0 { try site.open() }
            let commit = try publish(site, ["folder1/file1": "fourth", "folder2/file100": nil])
            #expect(try site.differences(commit) == [], "\(limit)")
            try site.tidy()
            #expect(try spares(site).allSatisfy { $0.dirty.isEmpty }, "\(limit)")
            #expect(site.names("trees").count <= count && site.names("trees").allSatisfy { !$0.hasPrefix(".") })
            let next = try publish(site, ["folder1/file1": "fifth"])
            #expect(try site.differences(next) == [] && site.lost() == [:], "\(limit)")
        }
    }

    @Test(arguments: layouts)
    func `is left alone within its grace`(layout: LayoutKind) throws {
        let (site, live) = try site(layout, grace: 1000)
        let before = try spares(site).map(\.name)
        let destination = try Destination(site.www, state: nil)
        let wait = try TreeLayout(layout, destination, site.options)
            .bringSpareForward(isStopped: { false }, keeping: LostAndFound(destination, now: 0))
        #expect(try #require(wait) > 900)
        #expect(try spares(site).map(\.name) == before && !before.contains { $0.hasPrefix(live) })
    }

    @Test(arguments: layouts)
    func `takes nothing over that somebody changed in the tree that is visible`(layout: LayoutKind) throws {
        let (site, live) = try site(layout)
        try Data("edited".utf8).write(to: URL(fileURLWithPath: site.www + "/folder1/file50"), options: [])
        try site.tidy()
        let ready = try #require(try spares(site).first { $0.record.commit.description == live })
        #expect(try differences(site.state + "/trees/" + ready.name, from: site.source.path, live) == [])
        let commit = try publish(site, ["other": "x"])
        #expect(try site.differences(commit) == [])
        #expect(try site.lost() == ["folder1/file50": "edited"])
    }

    private final class Counter: @unchecked Sendable { var value = 0 }
}
