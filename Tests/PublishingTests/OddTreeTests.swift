import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `Odd trees` {
    /// What must hold after every publish.
    private func expectShown(_ commit: String, _ tree: OddTree, _ site: Site, _ step: Comment) throws {
        if !tree.isLarge {
            let repository = try Repository(opening: site.source.path)
            #expect(try site.publisher.compare(in: repository).found == [], step)
        }
        if !tree.hasNewlines {
            let leadOut = Set(tree.rows.filter { $0.mode == "120000" && isOutside($0.text) }.map(\.path))
            let differences = try site.differences(commit).filter { difference in
                !leadOut.contains { difference == "missing: " + String(decoding: $0, as: UTF8.self) }
            }
            #expect(differences == [], step)
            for path in leadOut { #expect(try site.status(String(decoding: path, as: UTF8.self)) == nil, step) }
        }
        #expect(try site.lost() == [:], step)
        #expect(try site.folder.snapshot("outside") == outside(site), step)
    }

    private func isOutside(_ target: String) -> Bool { target.hasPrefix("/") || target.hasPrefix("..") }

    private func outside(_ site: Site) throws -> [String: String] {
        if !site.folder.has("outside") {
            for name in ["page.html", "x", "deep/style.css"] { try site.folder.write("mine", to: "outside/" + name) }
        }
        return try site.folder.snapshot("outside")
    }

    @Test(arguments: LayoutKind.allCases, OddTree.all)
    func `one is published first, after a normal tree, brought forward, and left again`(
        layout: LayoutKind, odd: OddTree
    ) throws {
        let site = try Site(layout, in: Site.memory)
        let outside = try outside(site)
        let (odder, normal) = (try odd.commit(in: site.source), try OddTree.normal.commit(in: site.source))
        // So many files take a build without optimization seconds each time.
        var steps = odd.rows.count > 4_000 ? [(normal, OddTree.normal)] : [(odder, odd), (normal, .normal)]
        steps += [(odder, odd)]
        if !odd.isLarge { steps += [(normal, .normal), (odder, odd), (odder, odd), (normal, .normal)] }
        steps += [(normal, .normal)]
        for (number, (commit, tree)) in steps.enumerated() {
            try site.publish(commit)
            try expectShown(commit, tree, site, "step \(number)")
            try site.tidy()
        }
        #expect(try site.folder.snapshot("outside") == outside)
        guard !odd.isLarge else { return }
        // And without the spares that lead from one to the other.
        let fresh = try Site(layout, in: Site.memory)
        for (commit, tree) in [(normal, OddTree.normal), (odder, odd), (normal, .normal)] {
            try fresh.publish(commit, from: site.source.path)
            #expect(try fresh.publisher.compare(in: Repository(opening: site.source.path)).found == [])
            #expect(try fresh.lost() == [:], "\(tree.testDescription)")
        }
    }

    @Test(arguments: LayoutKind.allCases)
    func `260 folders in each other are refused and change nothing`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let normal = try OddTree.normal.commit(in: site.source)
        try site.publish(normal)
        try site.tidy()
        let deep = try OddTree("deep", [String(repeating: "d/", count: 260) + "file": "x"]).commit(in: site.source)
        let before = try site.folder.snapshot()
        #expect(throws: PublishingError.self) { try site.publish(deep) }
        #expect(try site.folder.snapshot() == before)
        #expect(try site.shows(normal))
    }

    @Test(arguments: LayoutKind.allCases)
    func `another mode is another inode, and the one that readers hold keeps its own`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let normal = try OddTree.normal.commit(in: site.source)
        let other = try #require(OddTree.all.last).commit(in: site.source)
        try site.publish(normal)
        for commit in [other, normal, other] {
            try site.tidy()
            let (before, time) = (try #require(try site.status("file")), try site.mtime("file"))
            let reader = open(site.www + "/file", O_RDONLY)
            defer { close(reader) }
            try site.publish(commit)
            let after = try #require(try site.status("file"))
            #expect(after.inode != before.inode && after.permissions != before.permissions)
            #expect(try site.mtime("file") == time, "the bytes did not change")
            var status = stat()
            #expect(fstat(reader, &status) == 0 && status.st_mode & 0o777 == before.permissions)
        }
    }

    @Test(arguments: LayoutKind.allCases)
    func `a link that somebody put in a folder's place is not written through`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let outside = try outside(site)
        for number in 0..<4 {
            let commit = try site.commit(["folder/page.html": "\(number)", "deep/er/x": "\(number)", "y": "\(number)"])
            try site.publish(commit)
            #expect(try site.differences(commit) == [], "update \(number)")
            #expect(try site.folder.snapshot("outside") == outside)
            try site.tidy()
            for name in ["folder", "deep"] {
                #expect(rename(site.www + "/" + name, site.folder("\(name)-was-\(number)")) == 0)
                #expect(symlink(site.folder("outside"), site.www + "/" + name) == 0)
            }
            // Found at the start; while it runs, only what an update touches is looked at.
            if number % 2 == 0 {
                try site.open()
                _ = try site.publisher.survey()
            }
        }
        try site.source.git("rm", "-r", "-q", "folder")
        let commit = try site.commit(["folder": "a file", "y": "last"])
        try site.open()
        #expect(try site.publisher.survey() == 2)
        try site.publish(commit)
        #expect(try site.differences(commit) == [])
        #expect(try site.folder.snapshot("outside") == outside)
    }

    @Test(arguments: [LayoutKind.link, .exchange])
    func `bytes written into an inode that all trees share are kept, and never shown again`(layout: LayoutKind) throws {
        let site = try Site(layout)
        site.options.keepPrevious = .seconds(600)
        for number in 0..<4 {
            try site.publish(["shared/file": "shared", "y": "\(number)"])
            try site.tidy()
        }
        #expect(site.names("trees").count >= 2)
        let links = try Command.run(["stat", "-L", "-c", "%h", site.www + "/shared/file"]).text
        #expect((Int(links.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) >= 3, "the file is one inode in all")
        let file = open(site.www + "/shared/file", O_WRONLY)
        #expect(write(file, "EDITED", 6) == 6 && close(file) == 0)
        try site.open()
        #expect(try site.publisher.survey() == 1)
        for number in 4..<10 {
            let commit = try site.commit(["y": "\(number)", number == 7 ? "shared/new" : "z": "\(number)"])
            try site.publish(commit)
            #expect(try site.differences(commit) == [], "update \(number)")
            #expect(try site.lost() == ["shared/file": "EDITED"])
            try site.tidy()
        }
        #expect(try site.publisher.survey() == 0)
    }
}
