import Content
import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

/// Those who come from git-sync read the commit at the end of where DESTINATION leads.
@Suite struct `The name of the tree that is shown` {
    private func name(_ site: Site) throws -> String {
        (try FileManager.default.destinationOfSymbolicLink(atPath: site.www) as NSString).lastPathComponent
    }

    private func site(keepPrevious: Double = 600) throws -> Site {
        let site = try Site(.link)
        site.options.keepPrevious = .seconds(keepPrevious)
        return site
    }

    @Test(arguments: [600.0, 0])
    func `is its commit, whatever was shown before`(keepPrevious: Double) throws {
        let site = try site(keepPrevious: keepPrevious)
        let commits = try (0..<3).map {
            try site.commit(["a": "\($0)", "same": "s", "only\($0)": "x", "b": "\($0 % 2)"])
        }
        var random = SeededNumbers(seed: SeededNumbers.seed)
        var before: String?
        for round in 0..<60 {
            let commit = commits[Int.random(in: 0..<3, using: &random)]
            if random.isOne(in: 5) { try site.open() }
            if before != nil, random.isOne(in: 4) {
                try Data("changed".utf8).write(to: URL(fileURLWithPath: site.www + "/same"), options: .atomic)
            }
            if random.isOne(in: 6) {
                site.options.recipe.modificationTimes =
                    site.options.recipe.modificationTimes == .commit ? .content : .commit
                try site.open()
            }
            // A pass looks at some paths only.
            _ = try site.publisher.survey()
            if try !site.shows(commit) { try site.publish(commit) }
            #expect(try name(site) == commit, "round \(round)")
            #expect(try site.differences(commit) == [], "round \(round)")
            #expect(try site.publisher.compare(in: Repository(opening: site.source.path)).differences == [])
            if keepPrevious > 0, let before, before != commit {
                let index = try site.folder.read(".sidekick/www/previous/a")
                #expect(index == (try site.source.git("show", "\(before):a")), "round \(round)")
            }
            before = commit
            if random.isOne(in: 2) { try site.tidy() }
            for tree in site.names("trees") where !tree.hasPrefix(".") {
                let root = try FileStatus.of(site.state + "/trees/" + tree)?.inode
                #expect(
                    try TreePool(site.publisher.destination).record(of: tree)?.root == root, "\(tree) in round \(round)"
                )
            }
        }
    }

    /// As `is its commit` does it, with an exchange that is cut short behind each of its steps.
    @Test func `an exchange of names that was cut short is finished by the next start`() throws {
        let site = try site()
        let (first, second) = (try site.commit(["a": "1"]), try site.commit(["a": "2"]))
        try site.publish(first)
        try site.publish(second)
        let staged = try site.stage(first)
        guard case .tree(let tree) = staged.place else { throw TestFailure("no tree") }
        #expect(tree == first + "-2")
        let pool = TreePool(try site.publisher.destination)
        let old = try #require(try pool.record(of: first)).root
        try pool.noteDirty([TreePath("a")], of: tree)
        let trees = try pool.trees
        try trees.exchange(EntryName(tree), with: trees, EntryName(first))
        site.close()
        try site.open()
        #expect(try pool.record(of: first)?.root == staged.record.root)
        #expect(try pool.record(of: tree)?.root == old)
        #expect(try pool.dirtyPaths(of: tree) == [TreePath("a")] && pool.dirtyPaths(of: first).isEmpty)
        #expect(try pool.previous()?.tree == tree)
        #expect(try site.differences(second) == [])
        try site.publish(first)
        #expect(try name(site) == first)
        #expect(try site.differences(first) == [])
    }
}
