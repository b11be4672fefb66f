import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `Modification times` {
    /// A commit of flat files at a time; a text that begins with `->` makes a link, `/` a folder with the text inside,
    /// `+` an executable file.
    private func commit(_ site: Site, _ files: [String: String], time: Int64) throws -> String {
        var rows: [GitRepository.Row] = []
        for (name, text) in files {
            let rest = String(text.dropFirst())
            rows.append(
                try text.hasPrefix("->")
                    ? ("120000", name, site.source.blob(String(rest.dropFirst())))
                    : text.hasPrefix("/")
                        ? ("40000", name, site.source.tree([("100644", "inside", site.source.blob(rest))]))
                        : text.hasPrefix("+")
                            ? ("100755", name, site.source.blob(rest)) : ("100644", name, site.source.blob(text)))
        }
        return try site.source.commit(tree: site.source.tree(rows), time: time)
    }

    @Test(arguments: LayoutKind.allCases, [false, true])
    func `the commit's time, and ever later when bytes change, whatever the commits say`(
        layout: LayoutKind, restarts: Bool
    ) throws {
        let site = try Site(layout)
        // Forced back and forth, and a day of commits with one fixed date.
        let first = try commit(site, ["a": "1", "same": "x"], time: 1_000_000)
        let second = try commit(site, ["a": "2", "same": "x"], time: 500_000)
        let third = try commit(site, ["a": "3", "same": "x"], time: 500_000)
        let fourth = try commit(site, ["a": "4", "same": "x"], time: 2_000_000)
        try site.publish(first)
        #expect(try site.mtime("a") == 1_000_000)
        let same = try site.status("same")
        var last: Int64 = 1_000_000
        for next in [second, third, first, second, fourth, first, third, second] {
            if restarts { try site.open() }
            try site.publish(next)
            let time = try site.mtime("a")
            #expect(time > last)
            if next == fourth { #expect(time == 2_000_000) }
            last = time
            #expect(try site.status("same") == same)
            try site.tidy()
        }
    }

    @Test(arguments: LayoutKind.allCases, [nil, "->other", "/folder", "+1"] as [String?])
    func `a file that was away comes back later than it was`(layout: LayoutKind, between: String?) throws {
        let site = try Site(layout)
        let other = ["other": "x"]
        let first = try commit(site, other.merging(["a": "1"]) { $1 }, time: 1_000_000)
        let away = try commit(site, other.merging(between.map { ["a": $0] } ?? [:]) { $1 }, time: 900_000)
        let busy = try commit(site, ["other": "y"].merging(between.map { ["a": $0] } ?? [:]) { $1 }, time: 800_000)
        let back = try commit(site, other.merging(["a": "2"]) { $1 }, time: 700_000)
        try site.publish(first)
        var last = try site.mtime("a")
        for _ in 0..<2 {
            for commit in [away, busy] {
                try site.publish(commit)
                try site.open()
                try site.tidy()
            }
            try site.publish(back)
            #expect(try site.mtime("a") > last)
            last = try site.mtime("a")
        }
    }

    @Test(arguments: LayoutKind.allCases)
    func `a file below a folder that was away comes back later than it was`(layout: LayoutKind) throws {
        let site = try Site(layout)
        try site.publish(commit(site, ["a": "/1", "b": "x"], time: 1_000_000))
        try site.publish(commit(site, ["a": "1", "b": "x"], time: 400_000))
        #expect(try site.mtime("a") > 0)
        try site.publish(commit(site, ["b": "x"], time: 400_000))
        try site.publish(commit(site, ["a": "/2", "b": "x"], time: 400_000))
        #expect(try site.mtime("a/inside") > 1_000_000)
    }

    @Test(arguments: LayoutKind.allCases)
    func `dates before 1970 and in the future are clamped, and what follows is later still`(layout: LayoutKind) throws {
        let site = try Site(layout)
        try site.publish(commit(site, ["a": "1"], time: 0))
        #expect(try site.mtime("a") == 1)
        try site.publish(commit(site, ["a": "2"], time: 0))
        #expect(try site.mtime("a") == 2)
        let start = Int64(time(nil))
        try site.publish(commit(site, ["a": "3"], time: 4_102_444_800))
        let clamped = try site.mtime("a")
        #expect((start...Int64(time(nil))).contains(clamped))
        try site.publish(commit(site, ["a": "4"], time: 4_102_444_800))
        try site.publish(commit(site, ["a": "5"], time: 4_102_444_800))
        #expect(try site.mtime("a") >= clamped + 2)
        #expect(try site.mtime("a") < clamped + 60)
        #expect(try #require(try site.status("a")).mtime % 1_000_000_000 == 0)
    }

    @Test(arguments: [(-5, 1), (0, 1), (1, 1), (77, 77), (1000, 1000), (1001, 1000), (.max, 1000)] as [(Int64, Int64)])
    func `the commit's time is clamped to the present`(given: Int64, expected: Int64) throws {
        let blob = ContentID.blob(try id(String(repeating: "0f", count: 20)))
        #expect(ModificationTimes.commit.time(of: blob, commit: given, now: 1000, after: nil) == expected)
        #expect(ModificationTimes.commit.time(of: blob, commit: given, now: 1000, after: 5000) == 5001)
        #expect(ModificationTimes.content.time(of: blob, commit: given, now: 1000, after: 5000) > 978_307_200)
    }

    @Test func `a time that somebody gave to a file in the way is not used again`() throws {
        let site = try Site(.folder)
        try site.publish(commit(site, ["a": "1"], time: 1_000_000))
        try site.folder.write("mine", to: "www/a")
        let times = [timespec(tv_sec: 2_000_000, tv_nsec: 5), timespec(tv_sec: 2_000_000, tv_nsec: 5)]
        #expect(utimensat(AT_FDCWD, site.www + "/a", times, 0) == 0)
        try site.publish(commit(site, ["a": "2"], time: 1_500_000))
        #expect(try site.mtime("a") > 2_000_000)
    }

    @Test func `the policy content gives replicas with different histories the same times`() throws {
        let content = PublishingOptions(recipe: Recipe(modificationTimes: .content))
        let sites = try LayoutKind.allCases.map { try Site($0, options: content) }
        var times: [[Int64]] = []
        for (number, site) in sites.enumerated() {
            let last = try commit(site, ["a": "1", "b": "2", "c": "+3", "d": "/4"], time: Int64(number) * 1000 + 5)
            if number == 0 {
                try site.publish(commit(site, ["a": "9", "b": "2", "d": "4"], time: 1))
                try site.publish(commit(site, ["c": "3"], time: 99))
            }
            try site.publish(last)
            times.append(try ["a", "b", "c", "d/inside"].map { try site.mtime($0) })
        }
        #expect(times[0] == times[1])
        #expect(Set(times[0]).count == 4)
        for time in times[0] { #expect((978_307_200..<978_307_200 + 1 << 29).contains(time)) }
    }

    @Test(arguments: LayoutKind.allCases, [false, true])
    func `a change of the policy to content gives every file the time of its bytes`(
        layout: LayoutKind, changes: Bool
    ) throws {
        let site = try Site(layout)
        let first = try commit(site, ["a": "1", "b": "/2"], time: 1_000_000)
        try site.publish(first)
        site.options.recipe.modificationTimes = .content
        try site.open()
        #expect(try !site.shows(first))
        let inode = try site.status("a")?.inode
        let next = changes ? try commit(site, ["a": "1", "b": "/3"], time: 1_000_001) : first
        try site.publish(next)
        for (name, text) in [("a", "1"), ("b/inside", changes ? "3" : "2")] {
            let blob = ContentID.blob(try id(try site.source.blob(text)))
            #expect(
                try site.mtime(name) == ModificationTimes.content.time(of: blob, commit: 0, now: 0, after: nil))
        }
        #expect(try site.status("a")?.inode != inode, "a file that was visible is never touched")
        #expect(try site.shows(next))
        #expect(try site.lost() == [:])
        // Once more: now nothing is left to do.
        #expect(try site.stage(next).filesWritten == 0)
    }

    @Test(arguments: LayoutKind.allCases)
    func `a change of the policy back to commit keeps unchanged files and never goes back in time`(layout: LayoutKind)
        throws
    {
        let site = try Site(layout, options: PublishingOptions(recipe: Recipe(modificationTimes: .content)))
        let first = try commit(site, ["a": "1", "b": "2", "gone": "3"], time: 1000)
        try site.publish(first)
        let before = try ["a", "b", "gone"].reduce(into: [:]) { $0[$1] = try site.status($1) }
        site.options.recipe.modificationTimes = .commit
        try site.open()
        try site.publish(first)
        #expect(try site.status("a") == before["a"] && site.status("b") == before["b"])
        try site.publish(commit(site, ["a": "1", "b": "changed"], time: 2000))
        #expect(try site.status("a") == before["a"])
        #expect(try site.mtime("b") > before["b"]!.mtime / 1_000_000_000)
        try site.publish(commit(site, ["a": "1", "gone": "again"], time: 2000))
        #expect(try site.mtime("gone") > before["gone"]!.mtime / 1_000_000_000)
    }

    @Test(arguments: [(LayoutKind.folder, LayoutKind.link), (.link, .folder)])
    func `a change of the layout keeps the times and never goes back`(from: LayoutKind, to: LayoutKind) throws {
        let site = try Site(from)
        try site.publish(commit(site, ["a": "1", "b": "2"], time: 1_000_000))
        site.options.layout = to
        site.close()
        // The way from a link to a folder is the owner's: the link is removed first.
        if to == .folder { unlink(site.www) }
        try site.open()
        try site.publish(commit(site, ["a": "1", "b": "3"], time: 400_000))
        #expect(try site.status("b")?.kind == .file)
        if from == .folder { #expect(try site.mtime("a") == 1_000_000 && site.mtime("b") > 1_000_000) }
        #expect(try site.lost() == [:])
    }
}
