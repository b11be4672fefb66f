import Git
import Testing

@testable import Publishing

private func table(_ links: [String: String]) -> [TreePath: [UInt8]] {
    Dictionary(uniqueKeysWithValues: links.map { (TreePath($0), Array($1.utf8)) })
}

@Suite struct `The rule for symbolic links` {
    @Test(
        arguments: [
            ("a", true), ("a/b/c", true), (".", true), ("./a", true), ("", false), ("/", false), ("/a", false),
            ("..", true), ("../a", true), ("../..", false), ("../../x", false), ("../d/../..", false), ("../d/x", true),
            ("a/../../..", false), ("a/../..", true), ("..//..", false), ("...", true), ("..a/..b", true), ("a/", true),
            (".git", false), ("../.git/config", false), ("../.GiT", false), ("a/.git", false), ("../.sidekick", false),
            ("git~1/config", false), (".gitignore", true), ("a\0", false),
        ])
    func `a target is walked from the folder of its link`(target: String, expected: Bool) {
        #expect(SymlinkRule(targets: table(["d/l": target])).allows(TreePath("d/l")) == expected)
    }

    @Test func `a target of PATH_MAX bytes or more is not allowed`() {
        for (count, expected) in [(4095, true), (4096, false)] {
            let target = "x" + String(repeating: "/", count: count - 1)
            #expect(SymlinkRule(targets: table(["l": target])).allows(TreePath("l")) == expected)
        }
    }

    @Test func `what is no link of the tree is not allowed`() {
        #expect(!SymlinkRule(targets: table(["l": "a"])).allows(TreePath("m")))
    }

    @Test func `links in a circle and links without end are told in no time`() {
        #expect(!SymlinkRule(targets: table(["a": "b/x/../..", "b": "a"])).allows(TreePath("a")))
        var doubling: [String: String] = ["l60": "x"]
        for number in 0..<60 { doubling["l\(number)"] = "l\(number + 1)/../l\(number + 1)" }
        let clock = ContinuousClock()
        let rule = SymlinkRule(targets: table(doubling))
        let time = clock.measure { for number in 0..<60 { _ = rule.allows(TreePath("l\(number)")) } }
        #expect(time < .seconds(1))
    }

    @Test func `a chain as long as Linux follows is allowed and a longer one is not`() {
        for (count, expected) in [(40, true), (41, false)] {
            var chain = ["l\(count)": "file"]
            for number in 1..<count { chain["l\(number)"] = "l\(number + 1)" }
            #expect(SymlinkRule(targets: table(chain)).allows(TreePath("l1")) == expected, "\(count) links")
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
        let clock = ContinuousClock()
        let time = clock.measure { #expect(!SymlinkMixture(before: table(before), after: table(after)).isSafe) }
        #expect(time < .seconds(2))
    }
}
