import Foundation
import Git
import TestSupport
import Testing

@Suite struct `What was published` {
    private func commits(_ count: Int, in source: GitRepository) throws -> [ObjectID] {
        try (0..<count).map { try #require(ObjectID(hex: source.commit(["file": "\($0)"]))) }
    }

    @Test func `is remembered with the two commits before it, newest first`() throws {
        let source = try GitRepository()
        let made = try commits(5, in: source)
        let repository = try Repository(opening: source.path)
        #expect(repository.publishedCommits() == [])
        for (number, commit) in made.enumerated() {
            try repository.notePublished(commit)
            #expect(repository.publishedCommits() == Array(made[...number].reversed().prefix(3)))
        }
        let before = try source.folder.snapshot(".git/refs/sidekick")
        try repository.notePublished(made[4])
        #expect(try source.folder.snapshot(".git/refs/sidekick") == before, "nothing is written")
        // Back to an older one: it is the newest then, and none is lost.
        try repository.notePublished(made[2])
        #expect(repository.publishedCommits() == [made[2], made[4], made[3]])
        try repository.notePublished(made[4])
        #expect(repository.publishedCommits() == [made[4], made[2], made[3]])
        try repository.notePublished(made[0])
        #expect(repository.publishedCommits() == [made[0], made[4], made[2]])
    }

    @Test(arguments: 0...2)
    func `a process that is killed between two writes loses neither the last commit nor the one before`(writes: Int)
        throws
    {
        let source = try GitRepository()
        let made = try commits(4, in: source)
        let repository = try Repository(opening: source.path)
        for commit in made[..<3] { try repository.notePublished(commit) }
        // What the first writes of a fourth one do, by hand.
        for (slot, commit) in [(2, made[1]), (1, made[2])].prefix(writes) {
            try source.git("update-ref", "refs/sidekick/published/\(slot)", commit.description)
        }
        #expect(repository.publishedCommits().prefix(2) == [made[2], made[1]])
        try repository.notePublished(made[3])
        #expect(repository.publishedCommits() == [made[3], made[2], made[1]])
    }

    @Test func `a reference that cannot be written loses nothing that was, and what stands in its place makes way`()
        throws
    {
        let source = try GitRepository()
        let made = try commits(4, in: source)
        let repository = try Repository(opening: source.path)
        for commit in made[..<3] { try repository.notePublished(commit) }
        try source.folder.write("", to: ".git/refs/sidekick/published/1.lock")
        #expect(throws: GitError.self) { try repository.notePublished(made[3]) }
        #expect(repository.publishedCommits() == [made[2], made[1]])
        unlink(source.folder(".git/refs/sidekick/published/1.lock"))
        unlink(source.folder(".git/refs/sidekick/published/1"))
        try source.folder.write("in the way", to: ".git/refs/sidekick/published/1/file")
        try repository.notePublished(made[3])
        #expect(repository.publishedCommits() == [made[3], made[2], made[1]])
    }

    @Test func `references that are gone, garbage, or lead to nothing are ignored and written anew`() throws {
        let source = try GitRepository()
        let made = try commits(4, in: source)
        let repository = try Repository(opening: source.path)
        for commit in made[..<3] { try repository.notePublished(commit) }
        let blob = try source.blob("no commit")
        for text in ["garbage", "", String(repeating: "1", count: 40) + "\n", blob + "\n", nil] {
            if let text {
                try source.folder.write(text, to: ".git/refs/sidekick/published/1")
            } else {
                unlink(source.folder(".git/refs/sidekick/published/1"))
            }
            #expect(repository.publishedCommits() == [made[2], made[0]], "\(text ?? "gone")")
        }
        try source.folder.write("garbage", to: ".git/refs/sidekick/published/0")
        #expect(repository.publishedCommits() == [made[0]])
        try repository.notePublished(made[3])
        #expect(repository.publishedCommits() == [made[3], made[0]])
        #expect(throws: GitError.self) {
            try repository.notePublished(try #require(ObjectID(hex: String(repeating: "2", count: 40))))
        }
        #expect(repository.publishedCommits() == [made[3], made[0]])
    }
}

@Suite struct `Abbreviated commit ids` {
    @Test func `lead to the one commit that begins so, whatever else does`() throws {
        let source = try GitRepository(date: "2026-01-01T00:00:00Z")
        // With so many objects, four digits are shared by some.
        var script = ""
        for number in 0..<1500 {
            script += "commit refs/heads/main\ncommitter T <t@example.org> \(number) +0000\ndata 0\n"
            script += "M 100644 inline file\ndata \(String(number).utf8.count)\n\(number)\n"
        }
        try source.git("fast-import", "--quiet", input: Data(script.utf8))
        let repository = try Repository(opening: source.path)
        let commits = try source.git("rev-list", "main").split(separator: "\n").map(String.init)
        let others = try source.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)")
            .split(separator: "\n").filter { !$0.hasPrefix("commit") }.map { String($0.split(separator: " ")[1]) }
        let byPrefix = Dictionary(grouping: commits) { $0.prefix(4) }
        let shared = try #require(byPrefix.first { $0.value.count > 1 }, "two commits begin alike")
        #expect { try repository.commit(abbreviated: String(shared.key)) } throws: {
            ($0 as? GitError)?.isInvalidName == true && "\($0)".contains("2 commits")
        }
        let foreign = Set(others.map { $0.prefix(4) })
        let alone = try #require(byPrefix.first { $0.value.count == 1 && foreign.contains($0.key) })
        #expect(try repository.commit(abbreviated: String(alone.key))?.description == alone.value[0])
        for commit in [commits[0], shared.value[1]] {
            #expect(try repository.commit(abbreviated: commit)?.description == commit)
            #expect(try repository.commit(abbreviated: commit.uppercased())?.description == commit)
            #expect(try repository.commit(abbreviated: String(commit.prefix(12)))?.description == commit)
        }
        #expect(try repository.commit(abbreviated: others[0]) == nil, "not a commit")
        #expect(try repository.commit(abbreviated: String(repeating: "1", count: 40)) == nil)
        #expect(try repository.commit(abbreviated: String(repeating: "1", count: 20)) == nil)
        for text in ["", "abc", "main", "abcg", commits[0] + "0", "abc\n", "äöüß", "HEAD~1"] {
            #expect { try repository.commit(abbreviated: text) } throws: { ($0 as? GitError)?.isInvalidName == true }
        }
    }
}
