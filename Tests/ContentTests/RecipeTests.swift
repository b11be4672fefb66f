import Content
import Foundation
import Git
import Testing

@Suite struct `What is made of a commit` {
    private static let plain = #"{"exclude":[],"include":[],"mtime":"commit","subdirectory":"","symlinks":"skip"}"#

    @Test func `a recipe is one line of JSON, and reads as it was written`() throws {
        #expect(String(decoding: try Recipe().json, as: UTF8.self) == Self.plain)
        #expect(Recipe(json: Self.plain.utf8) == Recipe())
        let odd = Recipe(
            subdirectory: TreePath("caf\u{e9}/\"a\nb\""),
            selection: try PathSelection(include: ["\u{e9}*", "e\u{301}*", "a,b"], exclude: ["\\!x", "tab\t.html"]),
            modificationTimes: .content, symlinks: .none)
        #expect(Recipe(json: try odd.json) == odd)
        #expect(try !odd.json.contains(UInt8(ascii: "\n")))
    }

    @Test func `two spellings of one letter are two recipes`() {
        #expect(Recipe(subdirectory: TreePath("caf\u{e9}")) != Recipe(subdirectory: TreePath("cafe\u{301}")))
    }

    @Test(
        "what says more than is known, or less, is no recipe",
        arguments: [
            "", "{}", "[]", "null", plain + " ", plain.replacing("}", with: #","submodules":true}"#),
            plain.replacing("commit", with: "author"), plain.replacing("skip", with: "follow"),
            plain.replacing(#""exclude":[],"#, with: ""), plain.replacing("[],\"m", with: "[\"[\"],\"m"),
        ])
    func unknown(json: String) {
        #expect(Recipe(json: json.utf8) == nil)
    }

    @Test(
        arguments: [
            "", "mtime=commit", "symlinks=skip", "mtime=author symlinks=skip", "mtime=commit symlinks=skip ",
            "symlinks=skip mtime=commit", "mtime=commit symlinks=skip include=[", "mtime=commit symlinks=skip other=a",
            "mtime=commit symlinks=skip include=%zz",
        ])
    func `what no record of version 2 says is no recipe`(files: String) {
        #expect(Recipe(subdirectory: .root, files: files) == nil)
    }

    @Test func `trees of two folders of a commit may share files, those of two policies may not`() {
        var other = Recipe(subdirectory: TreePath("a"))
        #expect(other.makesFiles(like: Recipe(subdirectory: TreePath("b"))))
        other.modificationTimes = .content
        #expect(!other.makesFiles(like: Recipe(subdirectory: TreePath("a"))))
    }
}
