import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `Limits of what a push may bring` {
    private func refused(_ site: Site, _ commit: String, _ setting: String) throws {
        let before = try site.folder.snapshot()
        #expect {
            try site.publish(commit)
        } throws: {
            guard case PublishingError.limitExceeded(setting, _, _) = $0 else { return false }
            return true
        }
        #expect(try site.folder.snapshot() == before, "nothing may be written")
    }

    @Test(arguments: LayoutKind.allCases)
    func `so many files, links and submodules, and not one more, at first and in updates`(layout: LayoutKind) throws {
        let site = try Site(layout, options: PublishingOptions(limits: Limits(files: 4)))
        let blob = try site.source.blob("x")
        var rows: [GitRepository.Row] = [
            ("100644", "a", blob), ("100755", "b", blob), ("120000", "l", try site.source.blob("a")),
            ("160000", "m", String(repeating: "ab", count: 20)),
        ]
        let four = try site.source.commit(rows: rows)
        try site.publish(four)
        for row in [("100644", "c", blob), ("120000", "k", blob), ("160000", "n", blob)] as [GitRepository.Row] {
            try refused(site, site.source.commit(rows: rows + [row]), "SIDEKICK_MAX_FILES")
        }
        #expect(try site.shows(four))
        // Four others for four: an update is judged by what it leads to.
        rows = rows.map { ($0.mode, "new" + $0.name, $0.id) }
        try site.publish(site.source.commit(rows: rows))
        #expect(try site.status("newa") != nil)
    }

    @Test(arguments: LayoutKind.allCases)
    func `a first commit with too many files writes nothing`(layout: LayoutKind) throws {
        let site = try Site(layout, options: PublishingOptions(limits: Limits(files: 2)))
        let commit = try site.commit(["a": "1", "b": "2", "c": "3"])
        #expect(throws: PublishingError.self) { try site.publish(commit) }
        #expect(try site.filesOnDisk() == [".sidekick/www/lock"])
    }

    @Test(arguments: LayoutKind.allCases)
    func `so many bytes together, and not one more`(layout: LayoutKind) throws {
        let site = try Site(layout, options: PublishingOptions(limits: Limits(size: 10)))
        let ten = try site.commit(["a": "12345", "b": "12345"])
        try site.publish(ten)
        try refused(site, site.commit(["b": "123456"]), "SIDEKICK_MAX_SIZE")
        try refused(site, site.commit(["b": "12345", "c": "1"]), "SIDEKICK_MAX_SIZE")
        try site.publish(["a": "1", "b": "12345", "c": "1234"])
        #expect(try site.read("c") == "1234")
        try site.publish(["a": "0123456789", "b": nil, "c": nil])
        #expect(try site.read("a") == "0123456789")
    }

    @Test(arguments: LayoutKind.allCases)
    func `one file of so many bytes, and not one more`(layout: LayoutKind) throws {
        let site = try Site(layout, options: PublishingOptions(limits: Limits(blob: 10)))
        try site.publish(["a": "0123456789"])
        try refused(site, site.commit(["a": "0123456789x"]), "SIDEKICK_MAX_BLOB")
        try refused(site, site.commit(["a": "1", "deep/b": "0123456789x"]), "SIDEKICK_MAX_BLOB")
    }

    @Test func `paths that have more bytes together than a plan may hold, of few objects, write nothing`() throws {
        var limits = Limits(files: .max)
        limits.paths = 1 << 20
        let site = try Site(.link, options: PublishingOptions(limits: limits))
        let source = site.source
        var row: GitRepository.Row = ("100644", "", try source.blob("x"))
        // A million files of 600 bytes of path, in three trees: counting stops in time.
        for count in [100, 100, 100] {
            let name = String(repeating: "n", count: 196)
            let rows = (0..<count).map {
                "\(row.mode) \(row.mode == "040000" ? "tree" : "blob") \(row.id)\t\(name)\(1000 + $0)\n"
            }
            row = ("040000", "", try source.git("mktree", input: Data(rows.joined().utf8)))
        }
        let commit = try source.git("commit-tree", row.id, "-m", "deep")
        #expect {
            try site.publish(commit)
        } throws: {
            guard case PublishingError.pathsTooLong = $0 else { return false }
            return true
        }
        #expect(try site.filesOnDisk() == [".sidekick/www/lock"])
    }

    @Test(arguments: LayoutKind.allCases)
    func `a limit that is lowered later does not remove what is published`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let commit = try site.commit(["a": "1", "b": "2", "c": "3"])
        try site.publish(commit)
        site.options.limits.files = 2
        try site.open()
        try refused(site, site.commit(["a": "2"]), "SIDEKICK_MAX_FILES")
        #expect(try site.shows(commit))
    }

    /// A commit with one file below so many folders.
    private func commit(depth: Int, in source: GitRepository) throws -> String {
        let path = String(repeating: "d/", count: depth) + "file"
        let stream = """
            commit refs/heads/deep\(depth)
            committer Test <test@example.org> 1000000 +0000
            data 0
            M 100644 inline \(path)
            data 4
            text


            """
        try source.git("fast-import", "--quiet", input: Data(stream.utf8))
        return try source.git("rev-parse", "refs/heads/deep\(depth)")
    }

    @Test(arguments: LayoutKind.allCases)
    func `256 folders in each other are published, 257 are not`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let deepest = try commit(depth: 256, in: site.source)
        try site.publish(deepest)
        #expect(try site.read(String(repeating: "d/", count: 256) + "file") == "text")
        let before = try site.folder.snapshot()
        let deeper = try commit(depth: 257, in: site.source)
        #expect(throws: PublishingError.self) { try site.publish(deeper) }
        #expect(try site.folder.snapshot() == before)
        try site.publish(["a": "1"])
        #expect(try site.status("d") == nil)
    }

    /// Ten trees in each other, each with ten names for the next one: ten billion paths.
    private func bomb(_ leaf: GitRepository.Row?, in source: GitRepository) throws -> String {
        var tree = try source.tree(leaf.map { [$0] } ?? [])
        for _ in 0..<10 { tree = try source.tree((0..<10).map { ("40000", "d\($0)", tree) }) }
        return try source.commit(tree: tree)
    }

    @Test(arguments: LayoutKind.allCases, ["file", "empty", "link", "submodule"])
    func `ten nested trees of ten names are refused in no time and write nothing`(layout: LayoutKind, leaf: String)
        throws
    {
        // The default of a million takes a build without optimization several seconds.
        let site = try Site(layout, options: PublishingOptions(limits: Limits(files: 5_000)))
        let rows: [String: GitRepository.Row] = [
            "file": ("100644", "x", try site.source.blob("x")), "link": ("120000", "x", try site.source.blob("x")),
            "submodule": ("160000", "x", String(repeating: "ab", count: 20)),
        ]
        let commit = try bomb(rows[leaf], in: site.source)
        try site.publish(["a": "1"])
        let clock = ContinuousClock()
        let time = try clock.measure { try refused(site, commit, "SIDEKICK_MAX_FILES") }
        #expect(time < .seconds(10) * Sanitizer.toll, "ten billion paths take hours")
    }

    @Test func `a bomb of one blob is refused by its size before the bytes are written`() throws {
        let site = try Site(.link, options: PublishingOptions(limits: Limits(size: 1_000_000)))
        let text = String(repeating: "x", count: 100_000)
        let commit = try bomb(("100644", "x", site.source.blob(text)), in: site.source)
        try site.open()
        try refused(site, commit, "SIDEKICK_MAX_SIZE")
    }

    @Test(arguments: LayoutKind.allCases)
    func `a link whose target is far too long is not read into memory or made`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let commit = try site.source.commit(rows: [
            ("120000", "l", try site.source.blob(String(repeating: "x", count: 4096))),
            ("120000", "m", try site.source.blob(String(repeating: "y/", count: 2047) + "z")),
        ])
        try site.publish(commit)
        #expect(try site.status("l") == nil)
        #expect(try site.status("m")?.kind == .link)
    }

    @Test(arguments: LayoutKind.allCases)
    func `a path that nothing can open is refused, and one that is just short enough is published`(
        layout: LayoutKind
    ) throws {
        func commit(_ length: Int) throws -> String {
            let name = String(repeating: "n", count: 254)
            // Sixteen folders are 4,080 bytes with their slashes.
            let last = String(repeating: "x", count: length - 16 * 255)
            var tree = try site.source.tree([("100644", last, try site.source.blob("x"))])
            for _ in 0..<16 { tree = try site.source.tree([("40000", name, tree)]) }
            return try site.source.commit(tree: tree)
        }
        let site = try Site(layout)
        try site.publish(["a": "1"])
        let error = #expect(throws: PublishingError.self) { try site.publish(commit(4096)) }
        #expect(error?.description.contains("4095 bytes") == true)
        #expect(try site.read("a") == "1")
        try site.publish(commit(4095))
        #expect(try site.status("a") == nil)
    }

    @Test func `many links to one long text take neither memory nor time for each`() throws {
        let site = try Site(.link)
        let target = try site.source.blob(String(repeating: "y/", count: 2047) + "z")
        let tree = try site.source.tree((0..<100).map { ("120000", "l\($0)", target) })
        let commit = try site.source.commit(tree: site.source.tree((0..<5).map { ("40000", "d\($0)", tree) }))
        try site.open()
        let time = try ContinuousClock().measure { _ = try site.stage(commit) }
        #expect(time < .seconds(20) * Sanitizer.toll)
    }
}
