import Foundation
import Git
import TestSupport
import Testing

@Suite struct `What is missing below a tree` {
    private let source: GitRepository
    private let first: ObjectID
    private let second: ObjectID

    init() throws {
        source = try GitRepository()
        symlink("index.html", source.folder("link"))
        try source.commit([
            "index.html": "one", "same/deep/page": "same", "changed/deep/page": "page one",
            "changed/equal/page": "equal",
        ])
        first = try #require(ObjectID(hex: source.git("rev-parse", "HEAD^{tree}")))
        let submodule = String(repeating: "1", count: 40)
        try source.git("update-index", "--add", "--cacheinfo", "160000,\(submodule),module")
        try source.commit(["index.html": "two", "changed/deep/page": "page two", "new/page": "new"])
        try source.git("update-index", "--add", "--cacheinfo", "160000,\(submodule),module")
        try source.git("commit", "-q", "-m", "With a submodule")
        second = try #require(ObjectID(hex: source.git("rev-parse", "HEAD^{tree}")))
    }

    private func remove(_ name: String) throws -> String {
        let id = try source.git("rev-parse", name)
        unlink(source.folder(".git/objects/\(id.prefix(2))/\(id.dropFirst(2))"))
        return id
    }

    private func prove(_ known: ObjectID?, depth: Int = 100, folders: Int = 100) throws {
        try Repository(opening: source.path).proveConnected(tree: second, given: known, depth: depth, folders: folders)
    }

    @Test func `is nothing when all is there, and a submodule is not looked for`() throws {
        try prove(nil)
        try prove(first)
        try prove(second)
    }

    @Test(arguments: [
        "HEAD:index.html", "HEAD:link", "HEAD:same/deep/page", "HEAD:same/deep", "HEAD:changed", "HEAD:new/page",
        "HEAD:changed/deep/page", "HEAD:changed/equal/page", "HEAD^{tree}",
    ])
    func `is told with its path, wherever it is`(name: String) throws {
        let id = try remove(name)
        let path = name.contains(":") ? String(name.dropFirst(5)) : "the root"
        #expect { try prove(nil) } throws: {
            ($0 as? GitError)?.isNotFound == true && "\($0)".contains("\(id) of \(path) is missing")
        }
        // What is known is not looked at.
        if ["link", "same/deep", "same/deep/page", "changed/equal/page"].contains(path) {
            try prove(first)
        } else {
            #expect(throws: GitError.self) { try prove(first) }
        }
    }

    @Test func `is found although what is known is damaged`() throws {
        _ = try remove("HEAD~2:changed")
        try prove(first)
        try prove(ObjectID(hex: String(repeating: "1", count: 40)))
        _ = try remove("HEAD:changed/deep/page")
        #expect(throws: GitError.self) { try prove(first) }
    }

    @Test func `is looked for within bounds`() throws {
        try prove(nil, depth: 2, folders: 7)
        #expect(throws: TreeTooLarge.self) { try prove(nil, depth: 1) }
        #expect(throws: TreeTooLarge.self) { try prove(nil, folders: 6) }
        // The root, changed, changed/deep and new: what is equal is not counted.
        try prove(first, folders: 4)
        #expect(throws: TreeTooLarge.self) { try prove(first, folders: 3) }
    }

    @Test func `is found in no time in ten trees of ten that name each other`() throws {
        var tree = ""
        var entry = "100644 blob \(try source.blob("x"))"
        for _ in 0..<10 {
            let rows = (0..<10).map { "\(entry)\t\($0)\n" }.joined()
            tree = try source.git("mktree", input: Data(rows.utf8))
            entry = "040000 tree \(tree)"
        }
        let repository = try Repository(opening: source.path)
        try repository.proveConnected(
            tree: try #require(ObjectID(hex: tree)), given: nil, depth: 10, folders: 10)
    }
}
