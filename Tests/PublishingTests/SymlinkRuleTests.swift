import Git
import TestSupport
import Testing

@testable import Publishing

private func table(_ links: [String: String]) -> [TreePath: [UInt8]] {
    Dictionary(uniqueKeysWithValues: links.map { (TreePath($0), Array($1.utf8)) })
}

private func allows(_ targets: [TreePath: [UInt8]], _ path: String) -> Bool {
    var rule = SymlinkRule(targets: targets)
    return (try? rule.allows(TreePath(path))) ?? false
}

/// The same rule without a memory: each link by itself, as Linux follows it.
private func followed(_ targets: [TreePath: [UInt8]], _ path: TreePath) -> Bool {
    guard let target = targets[path], !target.isEmpty, target.count < 4096 else { return false }
    var (place, links) = (path.parent.components, 1)
    var rest = target.first == UInt8(ascii: "/") ? nil : target.split(separator: UInt8(ascii: "/")).map { Array($0) }
    while var names = rest, !names.isEmpty {
        let name = names.removeFirst()
        rest = names
        if name == [46] { continue }
        if name == [46, 46] {
            guard place.popLast() != nil else { return false }
            continue
        }
        let next = place + [EntryName(bytes: name)]
        let whole = TreePath(bytes: Array(next.map(\.bytes).joined(separator: [UInt8(ascii: "/")])))
        if let target = targets[whole] {
            links += 1
            guard links <= 40, target.first != UInt8(ascii: "/") else { return false }
            rest = target.split(separator: UInt8(ascii: "/")).map { Array($0) } + names
        } else {
            guard EntryRules.refusal(of: EntryName(bytes: name)) == nil else { return false }
            place = next
        }
    }
    return rest != nil
}

@Suite struct `The rule for symbolic links` {
    @Test func `each link once is the same as each by itself`() throws {
        var numbers = SeededNumbers(seed: 20_261_128)
        let names = ["a", "b", "c", "..", ".", "a/b", "..", ".git"]
        var count = 0
        for _ in 0..<5_000 {
            var links: [String: String] = [:]
            for _ in 0..<Int.random(in: 1...6, using: &numbers) {
                let depth = Int.random(in: 1...3, using: &numbers)
                let path = (0..<depth).map { _ in ["a", "b", "c"].randomElement(using: &numbers)! }.joined(
                    separator: "/")
                let steps = Int.random(in: 1...5, using: &numbers)
                links[path] = (0..<steps).map { _ in names.randomElement(using: &numbers)! }.joined(separator: "/")
            }
            let targets = table(links)
            var rule = SymlinkRule(targets: targets)
            for path in targets.keys.sorted() {
                let expected = followed(targets, path)
                if expected { count += 1 }
                let found = try rule.allows(path)
                #expect(found == expected, "\(path) of \(links)")
            }
        }
        #expect(count > 1_000)
    }

    @Test func `ten thousand links through a chain of long ones are told in no time, and a bound ends the rest`() throws
    {
        var links: [String: String] = ["c38": "x"]
        for number in 0..<38 { links["c\(number)"] = String(repeating: "./", count: 2_000) + "c\(number + 1)" }
        for number in 0..<10_000 { links["l\(number)"] = "c0" }
        var rule = SymlinkRule(targets: table(links))
        var allowed = 0
        let time = try processorTime {
            for number in 0..<10_000 where try rule.allows(TreePath("l\(number)")) { allowed += 1 }
        }
        #expect(allowed == 10_000 && time < .seconds(5) * Sanitizer.toll)
        var bounded = SymlinkRule(targets: table(links), steps: 1_000)
        #expect(throws: SymlinkRule.TooManySteps.self) { try bounded.allows(TreePath("l0")) }
    }

    @Test(
        arguments: [
            ("a", true), ("a/b/c", true), (".", true), ("./a", true), ("", false), ("/", false), ("/a", false),
            ("..", true), ("../a", true), ("../..", false), ("../../x", false), ("../d/../..", false), ("../d/x", true),
            ("a/../../..", false), ("a/../..", true), ("..//..", false), ("...", true), ("..a/..b", true), ("a/", true),
            (".git", false), ("../.git/config", false), ("../.GiT", false), ("a/.git", false), ("../.sidekick", false),
            ("git~1/config", false), (".gitignore", true), ("a\0", false),
        ])
    func `a target is walked from the folder of its link`(target: String, expected: Bool) {
        #expect(allows(table(["d/l": target]), "d/l") == expected)
    }

    @Test func `a target of PATH_MAX bytes or more is not allowed`() {
        for (count, expected) in [(4095, true), (4096, false)] {
            let target = "x" + String(repeating: "/", count: count - 1)
            #expect(allows(table(["l": target]), "l") == expected)
        }
    }

    @Test func `what is no link of the tree is not allowed`() {
        #expect(!allows(table(["l": "a"]), "m"))
    }

    @Test func `links in a circle and links without end are told in no time`() throws {
        #expect(!allows(table(["a": "b/x/../..", "b": "a"]), "a"))
        var doubling: [String: String] = ["l60": "x"]
        for number in 0..<60 { doubling["l\(number)"] = "l\(number + 1)/../l\(number + 1)" }
        var rule = SymlinkRule(targets: table(doubling))
        let time = try processorTime { for number in 0..<60 { _ = try rule.allows(TreePath("l\(number)")) } }
        #expect(time < .seconds(1) * Sanitizer.toll)
    }

    @Test func `a chain as long as Linux follows is allowed and a longer one is not`() {
        for (count, expected) in [(40, true), (41, false)] {
            var chain = ["l\(count)": "file"]
            for number in 1..<count { chain["l\(number)"] = "l\(number + 1)" }
            #expect(allows(table(chain), "l1") == expected, "\(count) links")
        }
    }

    @Test(
        arguments: [
            (["a": "b"], ["a": "b"], true),
            (["a": "b"], ["a": "c"], true),
            (["a": "b"], [:], true),
            ([:], ["a": "../x"], false),
            (["q": "x/p/../../x"], ["x/p": ".."], false),
            (["x/p": ".."], ["q": "x/p/../../x"], false),
            // The new target of `p` is one folder less deep than the old one, and `q` is the same in both.
            (["p": "a/b", "q": "p/../../i"], ["p": "a", "q": "p/../../i"], false),
            (["p": "a/b", "q": "p/../i"], ["p": "a", "q": "p/../i"], true),
            (["a/l": "../i"], ["a": "b", "b/l": "../i"], true),
            // Three links of two commits: old, new, old.
            (["q": "m/../..", "m": "a/b", "a/b": "."], ["q": "i", "m": "a/b/c", "a/b": ".."], false),
        ] as [([String: String], [String: String], Bool)])
    func `a mixture is safe only when no walk through links of both leads outside`(
        before: [String: String], after: [String: String], expected: Bool
    ) {
        #expect(SymlinkMixture(before: table(before), after: table(after)).isSafe == expected)
        #expect(SymlinkMixture(before: table(after), after: table(before)).isSafe == expected)
    }

    @Test func `a mixture with more ways than can be tried is told in no time, and unsafe`() {
        var before: [String: String] = [:]
        var after: [String: String] = [:]
        for number in 0..<30 {
            before["l\(number)"] = "l\(number + 1)/../l\(number + 1)"
            after["l\(number)"] = "./l\(number + 1)/../l\(number + 1)"
        }
        let time = processorTime { #expect(!SymlinkMixture(before: table(before), after: table(after)).isSafe) }
        #expect(time < .seconds(2) * Sanitizer.toll)
    }
}
