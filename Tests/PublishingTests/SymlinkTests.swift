import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `Symbolic links` {
    private func target(_ site: Site, _ name: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: site.www + "/" + name)
    }

    private func skipped(_ notices: [Notice]) -> Set<String> {
        Set(
            notices.compactMap {
                if case .skippedLink(let path, _) = $0 { path.description } else { nil }
            })
    }

    @Test(arguments: LayoutKind.allCases)
    func `links that stay inside are made as they are`(layout: LayoutKind) throws {
        let links = [
            "l": "a/file", "folder": "a", "a/up": "../b", "a/root": "..", "here": ".", "dangling": "nowhere/at/all",
            "slashes": "a//./file", "over": "a/../b", "through": "folder/up", "ending": "a/", "later": "through",
        ]
        let site = try Site(layout)
        let commit = try site.commit(["a/file": "1", "b": "2"], links: links)
        #expect(try site.publish(commit) == [])
        for (name, text) in links { #expect(target(site, name) == text, "\(name)") }
        #expect(try site.differences(commit) == [])
        #expect(try site.read("through") == "2")
    }

    static let outside: [(links: [String: String], left: Set<String>)] = [
        (["l": "/etc/passwd"], ["l"]),
        (["l": "/"], ["l"]),
        (["l": "../x"], ["l"]),
        (["l": ".."], ["l"]),
        (["a/l": "../../x"], ["a/l"]),
        (["a/l": "./.././../x"], ["a/l"]),
        (["l": "a/../../www/index.html"], ["l"]),
        (["l": "a//..//..//x"], ["l"]),
        (["l": ".git/config"], ["l"]),
        (["l": ".GIT"], ["l"]),
        (["l": ".sidekick/www/git"], ["l"]),
        (["a/l": "../.sidekick"], ["a/l"]),
        // Each harmless to look at, and through the first one outside.
        (["a/b/p": "../..", "q": "a/b/p/../etc"], ["q"]),
        (["a/p": "..", "q": "a/p/../x"], ["q"]),
        (["a/b/p": "..", "a/q": "b/p/..", "r": "a/q/../x"], ["r"]),
        (["a/p": "b", "a/b/q": "../..", "r": "a/p/q/../x"], ["r"]),
        // Through one that is itself left out.
        (["a/p": "../..", "q": "a/p/etc"], ["a/p", "q"]),
        (["p": "..", "q": "p", "r": "q", "s": "r/x"], ["p", "q", "r", "s"]),
        // It only seems to lead outside: `a/b/../..` is not where `p/../..` leads.
        (["p": "a/b/c", "q": "p/../../index.html"], []),
    ]

    @Test(arguments: LayoutKind.allCases, outside.indices)
    func `a link that leads outside is left out and the rest is published`(layout: LayoutKind, number: Int) throws {
        let (links, left) = Self.outside[number]
        let site = try Site(layout)
        let commit = try site.commit(["index.html": "1", "a/b/c/file": "2"], links: links)
        #expect(skipped(try site.publish(commit)) == left)
        for (name, text) in links { #expect(target(site, name) == (left.contains(name) ? nil : text), "\(name)") }
        #expect(try site.differences(commit).sorted() == left.sorted().map { "missing: \($0)" })
        // What was left out is settled: it does not make the commit look unpublished, and has nothing to tidy.
        #expect(try site.shows(commit))
        #expect(try site.tidy().notices == [])
    }

    @Test(arguments: LayoutKind.allCases, ["", "a\0b", String(repeating: "x/", count: 2048) + "x"])
    func `a target that no link can have is left out`(layout: LayoutKind, text: String) throws {
        let site = try Site(layout)
        let commit = try site.source.commit(rows: [
            ("100644", "index.html", try site.source.blob("x")), ("120000", "l", try site.source.blob(text)),
        ])
        #expect(skipped(try site.publish(commit)) == ["l"])
        #expect(try site.status("l") == nil)
        #expect(try site.read("index.html") == "x")
    }

    @Test(arguments: LayoutKind.allCases)
    func `a link leaves when a folder on its way becomes a link, and is back when that is a folder again`(
        layout: LayoutKind
    ) throws {
        let site = try Site(layout)
        let rows: [GitRepository.Row] = [
            ("100644", "index.html", try site.source.blob("1")),
            ("120000", "q", try site.source.blob("f/g/../../index.html")),
        ]
        let blob = try site.source.blob("2")
        let asFolder = try site.source.tree([("40000", "g", site.source.tree([("100644", "file", blob)]))])
        let asLink = try site.source.tree([("120000", "g", site.source.blob("..")), ("100644", "other", blob)])
        let fine = try site.source.commit(rows: rows + [("40000", "f", asFolder)])
        let escaping = try site.source.commit(rows: rows + [("40000", "f", asLink)])
        #expect(skipped(try site.publish(fine)) == [])
        #expect(try site.read("q") == "1")
        for _ in 0..<2 {
            #expect(skipped(try site.publish(escaping)) == ["q"])
            #expect(try site.status("q") == nil)
            #expect(target(site, "f/g") == "..")
            #expect(skipped(try site.publish(fine)) == [])
            #expect(try site.read("q") == "1")
            #expect(try site.differences(fine) == [])
            try site.open()
        }
        #expect(try site.lost() == [:])
    }

    @Test func `a link of the old commit leaves before the one comes with which it would lead outside`() throws {
        let site = try Site(.folder)
        // Both commits are harmless. `q` of the first through `x/p` of the second leads to the parent of the root.
        let first = try site.commit(["x/p/file": "1"], links: ["q": "x/p/../../x"])
        try FileManager.default.removeItem(atPath: site.source.folder("x/p"))
        let second = try site.commit(["q": nil], links: ["x/p": ".."])
        #expect(skipped(try site.publish(first)) == [])
        let staged = try site.stage(second)
        #expect(staged.notices == [])
        guard case .burst(let intent) = staged.place else { throw TestFailure("not a burst") }
        let leaves = try #require(intent.steps.firstIndex(of: .remove(TreePath("q"))))
        let comes = intent.steps.firstIndex { if case .place(_, TreePath("x/p")) = $0 { true } else { false } }
        #expect(leaves < (try #require(comes)))
        _ = try site.publisher.publish(staged)
        #expect(try site.differences(second) == [])
    }

    @Test(arguments: LayoutKind.allCases)
    func `the policy refuse keeps the old commit and names the link`(layout: LayoutKind) throws {
        let site = try Site(layout, options: PublishingOptions(recipe: Recipe(symlinks: .refuse)))
        let good = try site.commit(["a": "1"], links: ["l": "a"])
        try site.publish(good)
        let before = try site.folder.snapshot()
        let bad = try site.commit(["a": "2"], links: ["m": "../x"])
        #expect { try site.publish(bad) } throws: { error in
            guard case PublishingError.linkRefused(let path, let target) = error else { return false }
            return path == TreePath("m") && target == "../x"
        }
        #expect(try site.folder.snapshot() == before)
        #expect(try site.shows(good))
    }

    @Test(arguments: LayoutKind.allCases)
    func `the policy none makes no link, and a change of the policy counts at once`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let commit = try site.commit(["a": "1"], links: ["l": "a", "out": "/etc"])
        #expect(skipped(try site.publish(commit)) == ["out"])
        site.options.recipe.symlinks = .none
        try site.open()
        #expect(try !site.shows(commit))
        #expect(skipped(try site.publish(commit)) == ["l", "out"])
        #expect(try site.status("l") == nil)
        #expect(try site.shows(commit))
        site.options.recipe.symlinks = .skip
        try site.open()
        #expect(try !site.shows(commit))
        try site.publish(commit)
        #expect(target(site, "l") == "a")
        #expect(try site.status("out") == nil)
        #expect(try site.lost() == [:])
    }

    @Test func `a foreign file at the path of a link that was left out stays`() throws {
        let site = try Site(.folder)
        try site.publish(["a": "1"], links: ["out": "/etc"])
        try site.folder.write("mine", to: "www/out")
        try site.publish(["a": "2"])
        try site.publish(["out": nil])
        #expect(try site.read("out") == "mine")
    }
}
