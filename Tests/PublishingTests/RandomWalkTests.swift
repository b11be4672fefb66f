import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `Walks from commit to commit` {
    private static let seed = SeededNumbers.seed

    @Test(arguments: LayoutKind.allCases)
    func `every tree is its commit, no file of ours is taken for another's, and no time shows two files`(
        layout: LayoutKind
    ) throws {
        var numbers = SeededNumbers(seed: Self.seed)
        let site = try Site(layout, in: Site.memory)
        let walk = RandomTrees(count: 150, using: &numbers)
        let commits = try walk.commit(in: site.source, using: &numbers)
        var times = ShownTimes()
        var next = 0
        var step = 0
        while next < commits.count {
            step += 1
            // A force-push to an earlier commit every so often, and on from where it was.
            let number = next > 0 && numbers.isOne(in: 6) ? Int.random(in: 0..<next, using: &numbers) : next
            if number == next { next += 1 }
            let told: Comment = "seed \(Self.seed), step \(step), commit \(number)"
            if numbers.isOne(in: 5) {
                site.options.grace = .seconds([0, 1000].randomElement(using: &numbers)!)
                site.options.keepPrevious = .seconds([0, 600].randomElement(using: &numbers)!)
                #expect(try site.open() == [], told)
            }
            let notices = try site.publish(commits[number])
            #expect(!notices.contains { if case .drifted = $0 { true } else { false } }, told)
            let tree = walk.trees[number]
            let differences = try Shown(site).differences(from: tree)
            try #require(differences == [], told)
            // What git says costs two processes.
            if step % 25 == 0 {
                let others = try site.differences(commits[number]).filter { !$0.hasPrefix("missing: ") }
                try #require(others == [], told)
            }
            try #require(try site.shows(commits[number]), told)
            let wrong = try times.look(at: site, tree)
            try #require(wrong == [], told)
            if numbers.isOne(in: 2) { #expect(try site.tidy().notices == [], told) }
        }
        #expect(site.names("lost+found") == [])
        #expect(try site.publisher.survey() == 0)
    }
}

/// What stands at DESTINATION.
private struct Shown {
    private var leaves: RandomTrees.Tree = [:]
    private var folders: Set<String> = []

    init(_ site: Site) throws { try walk(site, below: "") }

    private mutating func walk(_ site: Site, below path: String) throws {
        let place = site.www + "/" + path
        for name in try FileManager.default.contentsOfDirectory(atPath: place) {
            let child = path + name
            switch try site.status(child)?.kind {
            case .folder:
                folders.insert(child)
                try walk(site, below: child + "/")
            case .link: leaves[child] = .link(try FileManager.default.destinationOfSymbolicLink(atPath: place + name))
            default:
                leaves[child] = .file(try site.read(child), executable: try site.status(child)?.permissions == 0o755)
            }
        }
    }

    /// Paths that are not what they should be. A link that leads out of the tree is not there; a folder is there for what is
    /// in it, and a submodule is one.
    func differences(from tree: RandomTrees.Tree) -> [String] {
        var targets: [TreePath: [UInt8]] = [:]
        for case (let path, .link(let target)) in tree { targets[TreePath(path)] = Array(target.utf8) }
        var rule = SymlinkRule(targets: targets)
        let made = tree.filter { targets[TreePath($0.key)] == nil || ((try? rule.allows(TreePath($0.key))) ?? false) }
        var expected: Set<String> = []
        for (path, leaf) in made {
            if leaf == .submodule { expected.insert(path) }
            let names = path.split(separator: "/")
            for count in names.indices.dropFirst() { expected.insert(names[..<count].joined(separator: "/")) }
        }
        let wrong = Set(made.keys).union(leaves.keys).filter { made[$0] != leaves[$0] && made[$0] != .submodule }
        return wrong.map { "\($0): \(leaves[$0].map { "\($0)" } ?? "nothing")" }.sorted()
            + expected.symmetricDifference(folders).map { "folder: \($0)" }.sorted()
    }
}

/// The times that every path has ever shown, with the bytes that it showed then.
private struct ShownTimes {
    private var shown: [String: [Int64: String]] = [:]
    private var last: [String: (text: String, time: Int64)] = [:]

    /// What must not be: other bytes under a time that the path had, or under one that is not later; another time for a file
    /// that did not change.
    mutating func look(at site: Site, _ tree: RandomTrees.Tree) throws -> [String] {
        var wrong: [String] = []
        var now: [String: (text: String, time: Int64)] = [:]
        for case (let path, .file(let text, _)) in tree {
            let time = try site.mtime(path)
            now[path] = (text, time)
            if let other = shown[path]?[time], other != text {
                wrong.append("\(path) showed \(other) at \(time) and now \(text)")
            }
            shown[path, default: [:]][time] = text
            guard let old = last[path] else { continue }
            if old.text != text, time <= old.time { wrong.append("\(path): \(old), and now \(text) at \(time)") }
            if old.text == text, time != old.time { wrong.append("\(path): \(old), and then at \(time)") }
        }
        last = now
        return wrong
    }
}
