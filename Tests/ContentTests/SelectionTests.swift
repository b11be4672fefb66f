import Git
import TestSupport
import Testing

@testable import Content

@Suite struct `Which paths are published` {
    private static let folders = [
        "a", "a/b", "a/b/c", "abc", "docs", "docs/img", "docs/a", "x", "x/y", "x/abc", "deep", "deep/docs",
        "deep/docs/old", "#dir", "folder.html", "a b",
    ].map { TreePath($0) }

    private static let files: [TreePath] =
        [
            "b", "c", "ab", "aab", "index.html", "INDEX.HTML", "x.htm", ".hidden", ".env", "#note", "!bang", "\\",
            "\\a",
            "*", "a*", "[a]", "[", "]", "-", "a]", "^", "a,b", "{a,b}", "trail", "trail ", "trail  ", " lead", "tab\t",
            "new\nline", "cr\r", "é", "e\u{301}", "日本", "a/c", "a/x/b", "a/b/d", "a/b/c/d", "a/b/c/b", "a/x/y/b",
            "a/index.html", "a/.env", "docs/b", "docs/index.html", "docs/img/logo.png", "docs/img/a", "docs/a/b/c/d",
            "deep/docs/index.html", "deep/docs/old/index.html", "deep/docs/old/keep.html", "x/abc/d", "x/abcd",
            "x/abcfoo/d", "x/abcfoo/bar/d", "x/y/abc", "x/y/z", "x/a/b/c/d/e", "foo", "foo/bar", "foo/bar/baz",
            "foo.tar.gz", "#dir/file", "folder.html/file", "a b/c d", "abc/abc", "abcabc", "xaxaxaxb", "a-b", "a_b",
            "5",
            "Z", "~", "docs2/b", "doc", "docsx",
        ].map { TreePath($0) } + [
            TreePath(bytes: [0xff, 0xfe]), TreePath(bytes: Array("a/".utf8) + [0x80] + Array(".html".utf8)),
        ]

    private static let single: [String] = [
        "a", "a/", "/a", "/a/", "a/b", "/a/b", "a/b/", "b/", "*", "*/", "/*", "/*/", "**", "**/", "/**", "/**/", "***",
        "a/*", "a/**", "a/**/", "a/**/b", "a/**/b/", "**/b", "**/b/", "/**/b", "**/a/b", "**/**/b", "a/**/**/b",
        "**/docs/**", "**/docs/*", "docs/**/a", "*/b", "*/*/b", "a/*/b", "a/*b", "*.html", "*.html/", "/*.html",
        "**/*.html", "a/**/*.html", "*.tar.*", "*.*", "?", "??", "a?", "?/b", "a/?", "[a-c]", "[!a-c]", "[^a-c]", "[]]",
        "[]-a]", "[!]a]", "[a-]", "[-a]", "[a\\]]", "[\\a-c]", "[c-a]", "[a-c-e]", "[[]", "[[a]", "[[:alpha:]]",
        "[![:alpha:]]", "[[:digit:][:upper:]]", "[[:punct:]]", "[[:space:]]", "[a-[:digit:]]", "[[:alpha]",
        "[[:alpha:]-z]", "a[[:blank:]]b", "*[[:cntrl:]]*", "*[[:cntrl:]]", "[[:xdigit:]]*", "[[:graph:]]*", "[a/b]",
        "a[/]b", "a?b", "x[!a]y", "#note", "\\#note", "!bang", "\\!bang", "\\\\", "\\\\a", "\\*", "a\\*", "\\[a\\]",
        "\\a", "\\-", "trail ", "trail\\ ", "trail\\  ", "trail \\ ", " lead", "tab\t", "tab\t ", "   ", "", "\r",
        "cr\r",
        "*\\ ", "a,b", "{a,b}", "é", "??.", "日本", "???", "??????", "*\u{e9}", "INDEX.html", "index.html\r",
        "x/abc**/d", "x/abc**", "x/abc*/d", "x/a**/d", "x/a**b/d", "x/**c/d", "x/**c", "x**/d", "**c/d", "x/\\**/d",
        "a**/b", "a/b**", "x\\/abc", "**\\/b", "a/**\\/b", "foo/**/bar", "foo/**", "foo*", "foo*/bar", "*oo/bar/*",
        "**oo", "f**o", "xa*a*b", "*a*a*a*b", "#*", "\\#*", "\\#dir/", "folder.html/", "a b", "a\\ b/", "*/.env", ".*",
        ".env", "docs", "/docs", "docs/", "docs/*", "/docs/*", "docs/img", "img/", "img/*", "**/img/*", "old/*",
        "docs/old/", "**/docs/old/", "**/old/*.html", "a/b/c/d", "a/b/c/d/e", "a/./b*", "**/?", "**/[b-d]", "?**/d",
        "*?*", "?*?*?", "**/*/**", "*/**", "*/**/*", "**/*/b", "/**/**/b", "***/b", "a/***/b", "a/***",
    ]

    private static let several: [[String]] = [
        ["*", "!*.html"], ["*", "!*/", "!*.html"], ["/*", "!/docs"], ["/*", "!/docs/"], ["docs/*", "!docs/img/"],
        ["docs/", "!docs/index.html"], ["docs/**", "!docs/index.html"], ["*.html", "!index.html"],
        ["!index.html", "*.html"], ["a", "!a", "a"], ["a", "!a"], ["# a comment", "", "b", "   "], ["a/b", "!a/b/c/"],
        ["**/docs/*", "!**/docs/old", "**/old/*", "!keep.html"], ["*/", "!docs/"], ["!a/", "a"],
        ["a/*", "!a/b", "a/b/*"],
        ["foo/*", "!foo/bar", "foo/bar/*", "!foo/bar/baz"], ["\\!bang", "!\\!bang"], [".*", "!.hidden"],
        ["x/abc**/d", "!d"],
    ]

    private func refused(_ list: [String]) -> [String] {
        do throws(InvalidPatterns) {
            _ = try PathSelection(exclude: list)
            return []
        } catch {
            return error.exclude.map(\.pattern)
        }
    }

    private func agree(_ lists: [[String]], folders: [TreePath], files: [TreePath]) throws {
        let paths = files + folders
        let ignored = try GitIgnore(lists, folders: folders).ignored(paths)
        let folders = Set(folders)
        var ignoring = 0
        for (list, expected) in zip(lists, ignored) {
            // What is refused is what git takes and never matches: without it git's answers are the same.
            let refused = refused(list)
            let selection = try PathSelection(exclude: list.filter { !refused.contains($0) })
            for path in paths {
                let isIgnored = !selection.selects(path, isFolder: folders.contains(path))
                // A hundred thousand expectations take longer than what they ask.
                if isIgnored != expected.contains(path) { Issue.record("\(list) on \(path)") }
                ignoring += isIgnored ? 1 : 0
            }
        }
        #expect(ignoring > paths.count && ignoring < paths.count * lists.count)
    }

    @Test func `git ignores what each pattern excludes`() throws {
        try agree(Self.single.map { [$0] }, folders: Self.folders, files: Self.files)
    }

    @Test func `git ignores what lists of patterns exclude`() throws {
        try agree(Self.several, folders: Self.folders, files: Self.files)
    }

    @Test func `git's classes hold the same bytes`() throws {
        let names = "alnum alpha blank cntrl digit graph lower print punct space upper xdigit".split(separator: " ")
        let lists = names.flatMap { [["[[:\($0):]]"], ["[![:\($0):]]"]] } + [["[!-~]"], ["[ -/]"], ["[!a]"], ["?"]]
        let bytes = (UInt8(1)...255).filter { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ".") }
        try agree(lists, folders: [], files: bytes.map { TreePath(bytes: [$0]) })
    }

    @Test func `git ignores what patterns made at random exclude`() throws {
        var random = Random(seed: 20_260)
        let pieces = [
            "a", "b", "c", "/", "/", "*", "*", "**", "**/", "/**", "?", "[ab]", "[!a]", "\\", "\\a", "!", " ", "ab",
        ]
        let lists = (0..<300).map { _ in
            (0..<random.below(3) + 1).map { _ in
                (random.below(5) == 0 ? "!" : "")
                    + (0..<random.below(7) + 1).map { _ in pieces[random.below(pieces.count)] }.joined()
            }
        }
        let names = ["a", "b", "c", "ab", "ba", "aab", "bac", " "]
        var (files, folders) = (Set<TreePath>(), Set<TreePath>())
        for _ in 0..<60 {
            var path = TreePath.root
            for _ in 0...random.below(4) { path = path.appending(EntryName(names[random.below(names.count)])) }
            files.insert(path)
            while path.parent != .root {
                path = path.parent
                folders.insert(path)
            }
        }
        try agree(lists, folders: folders.sorted(), files: files.subtracting(folders).sorted())
    }

    @Test func `a folder is left out only when nothing below it is selected`() throws {
        var random = Random(seed: 7)
        let all = Self.single + Self.several.flatMap { $0 }
        var (skipped, read) = (0, 0)
        for number in 0..<3000 {
            func some() -> [String] { (0..<random.below(3)).map { _ in all[random.below(all.count)] } }
            let include = number < all.count ? [all[number]] : some()
            guard let selection = try? PathSelection(include: include, exclude: some()) else { continue }
            for folder in Self.folders {
                let below = Self.files + Self.folders.map { $0.appending(EntryName("other")) }
                let selected = below.filter { $0.bytes.starts(with: folder.bytes + [0x2f]) && selection.selects($0) }
                if selection.mayHold(below: folder) { read += 1 } else { skipped += 1 }
                if !selected.isEmpty, !selection.mayHold(below: folder) {
                    Issue.record("\(selection) on \(folder): \(selected)")
                }
            }
            #expect(selection.mayHold(below: .root) || !(Self.files.contains { selection.selects($0) }))
        }
        #expect(skipped > 1000 && read > 1000)
    }

    @Test(
        arguments: [
            (["/docs/"], [], "a", false), (["/docs/"], [], "docs", true), (["docs/"], [], "a", true),
            (["/docs/img/"], [], "docs", true),
            (["/docs/img/"], [], "docs/a", false), (["/docs/img/"], [], "doc", false), (["*.html"], [], "a/b", true),
            (["a/*/c"], [], "a/b", true), (["a/*/c"], [], "a/b/d", false), (["a/**/c"], [], "a/b/d", true),
            (["a/*"], [], "b", false), (["x*/y"], [], "xyz", true), (["x*/y"], [], "yx", false),
            ([], ["docs/"], "docs/a", false), ([], ["*", "!docs"], "docs", true),
            (["docs"], ["img"], "docs/img", false),
        ] as [([String], [String], String, Bool)])
    func `a walk reads the folders that it must`(include: [String], exclude: [String], folder: String, expected: Bool)
        throws
    {
        let selection = try PathSelection(include: include, exclude: exclude)
        #expect(selection.mayHold(below: TreePath(folder)) == expected)
    }

    @Test func `what is included is what is not excluded`() throws {
        let selection = try PathSelection(
            include: ["*.html", "/img/", "!/old.html"], exclude: ["draft*", "/img/raw/"])
        let expected = [
            "index.html": true, "a/b/c.html": true, "img/logo.png": true, "img/deep/logo.png": true, "old.html": false,
            "a/old.html": true, "draft.html": false, "drafts/a.html": false, "img/raw/a.html": false, "b.css": false,
            "img": false,
        ]
        for (path, isSelected) in expected { #expect(selection.selects(TreePath(path)) == isSelected, "\(path)") }
        #expect(selection.selects(TreePath("img"), isFolder: true))
    }

    @Test func `with no pattern everything is selected`() throws {
        for none in [.everything, try PathSelection(include: ["# none", ""], exclude: ["  "])] {
            #expect(none == .everything && none.description.isEmpty)
            #expect(none.selects(TreePath("a/b")) && none.mayHold(below: TreePath("a")) && none.mayHold(below: .root))
        }
        #expect(Recipe().name == " mtime=commit symlinks=skip")
    }

    @Test(
        arguments: [
            ("a\\", .backslash), ("a\\/", .backslash), ("[a", .bracket), ("[", .bracket), ("[]", .bracket),
            ("[a\\]", .bracket), ("[[:alpha:]", .bracket), ("[[:letter:]]", .characterClass), ("/", .nothing),
            ("!", .nothing), ("!/", .nothing), ("./a", .step), ("../a", .step), ("a//b", .step), ("a/.", .step),
            (".", .step), ("a//", .step), ("a\0", .control), ("a\nb", .control), ("a\u{FFFD}", .encoding),
        ] as [(String, InvalidPattern.Reason)])
    func `a pattern that can match nothing is refused`(pattern: String, reason: InvalidPattern.Reason) {
        let invalid = InvalidPattern(pattern: pattern, reason: reason)
        #expect(throws: InvalidPatterns(include: [], exclude: [invalid])) {
            try PathSelection(exclude: ["b", pattern])
        }
        #expect(throws: InvalidPatterns(include: [invalid], exclude: [])) {
            try PathSelection(include: ["b", pattern])
        }
    }

    @Test func `to include nothing at all is refused`() {
        #expect(throws: InvalidPatterns.self) { try PathSelection(include: ["!a", "!b"]) }
        #expect(throws: Never.self) { try PathSelection(exclude: ["!a"]) }
    }

    @Test func `no two selections have the same text, and it is one line of ASCII`() throws {
        let lists = [
            [], ["a"], ["a", "b"], ["b", "a"], ["a,b"], ["a\\,b"], ["a b"], ["a%2cb"], ["a exclude=b"], ["é"],
            ["e\u{301}"],
            ["a\r."], ["a\u{1}"],
        ]
        var texts: Set<[UInt8]> = []
        for include in lists {
            for exclude in lists {
                let selection = try PathSelection(include: include, exclude: exclude)
                let text = Array(selection.description.utf8)
                #expect(texts.insert(text).inserted, "\(selection)")
                #expect(text.allSatisfy { (0x20...0x7e).contains($0) })
                #expect(
                    selection == (try PathSelection(include: include + ["", "# b"], exclude: exclude.map { $0 + " " })))
                let recipe = Recipe(subdirectory: TreePath("a b"), selection: selection)
                let files = "mtime=commit symlinks=skip" + (text.isEmpty ? "" : " \(selection)")
                #expect(recipe.name == "a b \(files)")
                #expect(Recipe(subdirectory: TreePath("a b"), files: files) == recipe)
                #expect(Recipe(json: try recipe.json) == recipe)
                #expect(try !recipe.json.contains(10))
            }
        }
    }

    @Test(
        arguments: [
            (String(repeating: "*a", count: 60) + "b", String(repeating: "a", count: 250)),
            (String(repeating: "**/*a*a*a*/", count: 20) + "b", String(repeating: "aaaaaaaa/", count: 100) + "c"),
            (String(repeating: "*/**/", count: 40) + "b", String(repeating: "a/", count: 200) + "c"),
            ("x**/" + String(repeating: "*a**/", count: 40) + "b", "x" + String(repeating: "aa/", count: 200) + "c"),
            (String(repeating: "[a-z]*", count: 300) + "[0-9]", String(repeating: "a", count: 250)),
            ("/" + String(repeating: "?", count: 3000) + "*", String(repeating: "a", count: 250)),
        ])
    func `no pattern takes long, whatever the path`(pattern: String, path: String) throws {
        let selection = try PathSelection(include: [pattern])
        let time = processorTime {
            #expect(!selection.selects(TreePath(path)))
            _ = selection.mayHold(below: TreePath(path))
        }
        #expect(time < .seconds(2) * Sanitizer.toll, "\(time)")
    }

    @Test func `a pattern longer than a word of the machine matches as a short one does`() throws {
        for count in [1, 30, 31, 32, 33, 61, 62, 63, 64, 65, 127, 128, 129, 200] {
            let letters = String(repeating: "a", count: count)
            let selection = try PathSelection(include: ["/?\(letters)/**/x*\(letters)", "*\(letters)?"])
            #expect(selection.selects(TreePath("b\(letters)/x\(letters)")))
            #expect(selection.selects(TreePath("b\(letters)/c/d/xyz\(letters)")))
            #expect(selection.selects(TreePath("q/r\(letters)s")))
            #expect(!selection.selects(TreePath("b\(letters)/c/d/yx\(letters)")))
            #expect(!selection.selects(TreePath("b\(letters)/c/\(letters.dropFirst())")))
            #expect(!selection.selects(TreePath("\(letters)/x\(letters)")))
        }
    }
}

/// Numbers that are the same at every run: Knuth's MMIX generator.
private struct Random {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
}
