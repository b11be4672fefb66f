import Foundation
import TestSupport
import Testing

/// A tree that is rarely seen, as rows of a commit.
struct OddTree: CustomTestStringConvertible {
    let testDescription: String
    let rows: [(mode: String, path: [UInt8], text: String)]
    /// `git hash-object` takes paths by lines.
    var hasNewlines: Bool { rows.contains { $0.path.contains(10) } }
    /// So many files take a build without optimization a while.
    var isLarge: Bool { rows.count > 1000 }

    init(_ name: String, _ files: [String: String], links: [String: String] = [:], submodules: [String] = []) {
        self.init(
            name,
            files.map { ("100644", Array($0.key.utf8), $0.value) }
                + links.map { ("120000", Array($0.key.utf8), $0.value) }
                + submodules.map { ("160000", Array($0.utf8), "") })
    }

    init(_ name: String, _ rows: [(mode: String, path: [UInt8], text: String)]) {
        testDescription = name
        self.rows = rows
    }

    /// What most sites look like, and what the odd ones become and come from.
    static let normal = OddTree(
        "normal",
        [
            "index.html": "1", "README": "read", "folder/page.html": "1", "folder/deep/style.css": "1", "file": "1",
            "same/x": "x", "changes/a": "1",
        ], links: ["link": "folder", "same/link": "x"])

    static let all = [
        OddTree("empty", [:]),
        OddTree(
            "5,000 files in one folder",
            Dictionary(uniqueKeysWithValues: (0..<5_000).map { ("folder/file\($0)", "\($0)") })),
        OddTree("250 folders in each other", [String(repeating: "folder/", count: 250) + "file": "deep", "file": "1"]),
        OddTree("folders are files and files are folders", ["folder": "1", "file/a/b": "1", "index.html/c": "1"]),
        OddTree("names in another case", ["readme": "read", "Folder/page.html": "1", "FILE": "1", "folder/Deep": "1"]),
        OddTree("names in both cases", ["README": "one", "readme": "two", "Folder/a": "1", "folder/a": "2"]),
        OddTree(
            "links are folders and folders are links", ["link/page.html": "2", "same/x": "x", "other/y": "y"],
            links: ["folder": "same", "file": "other", "changes": "same/../other"]),
        OddTree(
            "links that lead outside", ["same/x": "x"], links: ["folder": "../outside", "file": "/etc", "link": ".."]),
        OddTree(
            "1,500 folders",
            Dictionary(uniqueKeysWithValues: (0..<1_500).map { ("folder/\($0 % 50)/\($0)/empty", "") })),
        OddTree("submodules", ["same/x": "x"], submodules: ["file", "folder", "link", "same/y"]),
        OddTree(
            "odd names",
            ["a\nb", "a\"b", "a'b", "a\\b", "a b", " ", "-rf", "*", "a\tb", "é", "e\u{301}", "\u{7f}", "a\r"].map {
                ("100644", Array("folder/\($0)".utf8), $0)
            } + [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80]].map { ("100755", Array("folder/".utf8) + $0, "bytes") }),
        OddTree(
            "other modes",
            normal.rows.map { ($0.mode == "100644" ? "100755" : $0.mode, $0.path, $0.text) }),
    ]

    /// Commits it, and nothing else.
    func commit(in source: GitRepository) throws -> String {
        var stream = Data("commit refs/heads/odd\ncommitter Test <test@example.org> 1000000 +0000\ndata 0\n".utf8)
        stream += Data("deleteall\n".utf8)
        for row in rows {
            // Quoted as in C; octal for every byte that could mean something.
            let path = row.path.map { byte in
                byte < 0x80 && byte > 0x20 && byte != 0x22 && byte != 0x5c
                    ? String(UnicodeScalar(byte)) : "\\" + String(Int(byte) + 0o1000, radix: 8).dropFirst()
            }.joined()
            if row.mode == "160000" {
                stream += Data("M 160000 \(String(repeating: "ab", count: 20)) \"\(path)\"\n".utf8)
            } else {
                stream += Data("M \(row.mode) inline \"\(path)\"\ndata \(row.text.utf8.count)\n\(row.text)\n".utf8)
            }
        }
        try source.git("fast-import", "--quiet", "--force", input: stream + Data("\n".utf8))
        return try source.git("rev-parse", "refs/heads/odd")
    }
}
