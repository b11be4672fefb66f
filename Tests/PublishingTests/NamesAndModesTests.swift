import Foundation
import Git
import TestSupport
import Testing

@testable import Publishing

@Suite struct `Names and modes` {
    private func published(_ site: Site) throws -> Directory {
        let resolved = try #require(realpath(site.www, nil))
        defer { free(resolved) }
        return try Directory(opening: String(cString: resolved))
    }

    /// A commit of files of these names, each with its own number as its text.
    private func commit(_ names: [[UInt8]], in source: GitRepository) throws -> String {
        let rows = try names.enumerated().map { ("100644", $1, try source.blob("\($0)")) }
        return try source.commit(tree: source.tree(raw: rows))
    }

    @Test(arguments: LayoutKind.allCases)
    func `modes are 0644 and 0755, whatever odd ones are in the commit`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let blob = try site.source.blob("x")
        let inner = try site.source.tree([("100644", "file", blob), ("100755", "tool", blob)])
        // 100664 and 100600 are in old repositories; git takes the owner's execute bit alone.
        let commit = try site.source.commit(rows: [
            ("100664", "a", blob), ("40000", "folder", inner), ("100600", "b", blob), ("100700", "c", blob),
            ("120000", "link", try site.source.blob("a")),
        ])
        try site.publish(commit)
        var modes: [String: UInt32] = [:]
        for name in ["a", "b", "c", "folder", "folder/file", "folder/tool"] {
            modes[name] = try #require(try site.status(name)).permissions
        }
        #expect(
            modes == ["a": 0o644, "b": 0o644, "c": 0o755, "folder": 0o755, "folder/file": 0o644, "folder/tool": 0o755])
        let root = try published(site)
        #expect(try root.status.permissions == 0o755)
        #expect(try site.folder.status(".sidekick/www/lock")?.permissions == 0o600)
        for folder in [".sidekick", ".sidekick/www"] {
            #expect(try site.folder.status(folder)?.permissions == 0o755, "\(folder)")
        }
        if layout == .folder { #expect(try site.folder.status(".sidekick/www/staging")?.permissions == 0o700) }
        if layout == .link { #expect(try site.folder.status(".sidekick/www/trees")?.permissions == 0o755) }
    }

    static let awkward: [[UInt8]] =
        [
            "with space", " leading", "trailing ", "dot.", "new\nline", "tab\t", "\u{1}\u{1b}[31m", "\u{7f}", "-rf",
            "*",
            "$(id)", "'\"", "back\\slash", "colon:", "ü", "u\u{308}", "🗿", "...", "..a", " .git", ".gitignore",
            ".gitattributes", ".gitmodules", ".git2", ".gi", "git", "git~2", "git~1x", ".gıt", "x.git", ".sidekicks",
            "\u{200c}", "0", "staging", "record", "index.html",
        ].map { Array($0.utf8) } + [[0xff], [0xc3, 0x28], [0x80, 0x0a, 0xfe], Array(repeating: 0xe9, count: 255)]

    @Test(arguments: LayoutKind.allCases)
    func `every name that Linux can hold is published byte by byte, and removed again`(layout: LayoutKind) throws {
        let site = try Site(layout)
        try site.publish(try commit(Self.awkward, in: site.source))
        var folder = try published(site)
        #expect(try Set(folder.names()) == Set(Self.awkward.map { EntryName(bytes: $0) }))
        for (number, name) in Self.awkward.enumerated() {
            #expect(try folder.read(EntryName(bytes: name)) == Array("\(number)".utf8), "\(EntryName(bytes: name))")
        }
        // Half of them go, and the others get other numbers: the record must find each again, after a restart too.
        let half = Self.awkward.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        try site.open()
        try site.publish(try commit(half, in: site.source))
        folder = try published(site)
        #expect(try Set(folder.names()) == Set(half.map { EntryName(bytes: $0) }))
        for (number, name) in half.enumerated() {
            #expect(try folder.read(EntryName(bytes: name)) == Array("\(number)".utf8), "\(EntryName(bytes: name))")
        }
        #expect(try site.tidy().notices.isEmpty)
        #expect(try site.lost().isEmpty)
    }

    @Test(arguments: LayoutKind.allCases)
    func `a name of 255 bytes is published as a folder and as a file, ASCII or not`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let long = String(repeating: "n", count: 251) + ".css"
        let accents = String(repeating: "é", count: 127) + "x"
        let blob = try site.source.blob("x")
        let inner = try site.source.tree([("100644", long, blob), ("100644", accents, blob)])
        let commit = try site.source.commit(rows: [("40000", accents, inner), ("100644", long, blob)])
        try site.publish(commit)
        #expect(try site.differences(commit) == [])
        #expect(try site.status(accents + "/" + accents)?.kind == .file)
    }

    static let refused: [String] = [
        ".git", ".GIT", ".Git", ".giT", ".g\u{200c}it", "\u{200d}.git", ".git\u{feff}", "\u{202e}.G\u{206f}iT\u{200e}",
        ".\u{206a}g\u{206b}i\u{206c}t\u{206d}", ".git ", ".git.", ".git . .",
        ".git" + String(repeating: " ", count: 200),
        ".git" + String(repeating: ".", count: 251), ".g" + String(repeating: "\u{200c}", count: 80) + "it",
        ".git\u{200c} .\u{200c}", ".git:", ".git::$INDEX_ALLOCATION", ".git\\hooks", ".git \\x", "git~1", "GIT~1",
        "Git~1",
        "git~1 ", "git~1.", "git~1::$DATA", ".", "..", "a/b", "/", "/etc", "../x", ".sidekick", ".SideKick",
        ".sidekick ",
        ".side\u{200c}kick", String(repeating: "n", count: 256), String(repeating: "é", count: 128),
    ]

    @Test(arguments: LayoutKind.allCases)
    func `a name that must not be made refuses the commit and touches nothing`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let good = try commit([Array("index.html".utf8)], in: site.source)
        try site.publish(good)
        let before = try site.folder.snapshot()
        let blob = try site.source.blob("x")
        for (number, name) in Self.refused.enumerated() {
            let mode = number % 3 == 0 ? "120000" : "100644"
            let bad = try site.source.commit(rows: [("100644", "good", blob), (mode, name, blob)])
            #expect("\(EntryName(name))") {
                try site.publish(bad)
            } throws: { error in
                if case PublishingError.entryRefused = error { true } else { false }
            }
            #expect(try site.folder.snapshot() == before, "\(EntryName(name))")
        }
        #expect(try site.shows(good))
    }

    @Test(arguments: LayoutKind.allCases, ["40000", "160000"])
    func `a refused name below the root, as a folder or a submodule, leaves nothing on the disk`(
        layout: LayoutKind, mode: String
    ) throws {
        let site = try Site(layout)
        let blob = try site.source.blob("x")
        let config = try site.source.tree([("100644", "config", blob)])
        let middle = try site.source.tree([("100644", "page", blob), (mode, ".Git", config)])
        let outer = try site.source.tree([("40000", "b", middle)])
        let bad = try site.source.commit(rows: [("40000", "a", outer), ("100644", "index.html", blob)])
        #expect { try site.publish(bad) } throws: { error in
            guard case PublishingError.entryRefused(let path, _) = error else { return false }
            return path == TreePath("a/b/.Git")
        }
        #expect(try site.filesOnDisk() == [".sidekick/www/lock"])
    }

    @Test(arguments: LayoutKind.allCases)
    func `an empty name and a name that stands twice refuse the commit`(layout: LayoutKind) throws {
        let site = try Site(layout)
        let blob = try site.source.blob("x")
        for rows in [[("100644", "", blob)], [("100644", "a", blob), ("120000", "a", blob)]] {
            let bad = try site.source.commit(rows: rows.map { (mode: $0.0, name: $0.1, id: $0.2) })
            #expect(throws: (any Error).self) { try site.publish(bad) }
        }
        #expect(try site.filesOnDisk() == [".sidekick/www/lock"])
    }

    @Test func `a refused name says which one, with its control characters escaped`() throws {
        let site = try Site(.link)
        let bad = try commit([Array(".git\u{200c}\u{202e}".utf8)], in: site.source)
        do {
            try site.publish(bad)
            Issue.record("published")
        } catch let error as PublishingError {
            #expect(error.description.unicodeScalars.allSatisfy { $0.properties.generalCategory != .format })
            #expect(error.description.contains(".git"))
        }
    }
}
