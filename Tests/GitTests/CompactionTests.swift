import Foundation
import Git
import TestSupport
import Testing

@Suite struct `Compacting a store` {
    private let source: GitRepository
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        source = try GitRepository()
        folder = try TemporaryFolder()
        store = Store(path: folder("git"))
    }

    /// Commits and copies, as a pass does.
    @discardableResult
    private func update(_ files: [String: String?], depth: Int) throws -> ObjectID {
        try source.commit(files)
        return try fetch(depth: depth)
    }

    @discardableResult
    private func fetch(_ name: String = "HEAD", depth: Int, from path: String? = nil) throws -> ObjectID {
        let upstream = try Repository(opening: path ?? source.path)
        let commit = try ObjectID(hex: name) ?? #require(try upstream.reference(ReferenceName(name))?.target)
        let repository = try store.openToFill()
        try repository.copy(commit, depth: depth, from: upstream) { _ in }
        try repository.setReference("refs/sidekick/fetched", to: commit)
        try repository.notePublished(commit)
        return commit
    }

    /// Many commits at once.
    private func history(_ count: Int) throws -> [String] {
        var script = ""
        for number in 1...count {
            script += "commit refs/heads/main\ncommitter T <t@example.org> \(1_700_000_000 + number) +0000\ndata 0\n"
            if number == 1 { script += "from refs/heads/main^0\n" }
            let text = "\(number) \(UUID())"
            script += "M 100644 inline index.html\ndata \(text.utf8.count)\n\(text)\n"
        }
        try source.git("fast-import", "--quiet", input: Data(script.utf8))
        let commits = try source.git("rev-list", "--reverse", "-n", "\(count)", "main")
        try source.git("reset", "-q", "--hard")
        return commits.split(separator: "\n").map(String.init)
    }

    private func published() throws -> [ObjectID] { try store.open().publishedCommits() }

    private func git(_ arguments: String...) throws -> String {
        let result = try Command.run(
            ["git"] + arguments, in: store.path, environment: GitRepository.environment(), mayFail: true)
        let lines = (result.error + result.text).split(separator: "\n").filter { !$0.hasPrefix("notice: ") }
        return (result.status == 0 ? "" : "\(result.status) ") + lines.joined(separator: "\n")
    }

    private func expectWhole(_ when: String = "") throws {
        #expect(try git("fsck", "--full", "--strict", "--no-dangling", "--no-progress") == "", "\(when)")
        #expect(try git("fsck", "--connectivity-only", "--no-dangling", "--no-progress") == "", "\(when)")
        let beside = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(beside == ["git"], "\(when)")
    }

    @Test(arguments: [(0, 10), (1, 60), (2, 10)])
    func `after many updates leaves the kept commits, and updates go on`(depth: Int, updates: Int) throws {
        try source.commit(["index.html": "first", "before": "x"])
        var files: [String: String?] = [:]
        for number in 0..<40 { files["folder\(number)/page"] = UUID().uuidString }
        try update(files, depth: depth)
        for commit in try history(updates) { try fetch(commit, depth: depth) }
        #expect(store.size().packs == updates + 1)
        #expect(store.needsCompaction() == (updates > 50))
        let before = store.size()
        let kept = try published()
        #expect(try store.compact(keeping: kept, depth: depth) == kept)
        try expectWhole()
        #expect(try published() == kept)
        let after = store.size()
        #expect(after.packs <= 3 && after.bytes < before.bytes && !store.needsCompaction(), "\(before), \(after)")
        let history = try git("rev-list", "--count", "refs/sidekick/fetched")
        #expect(
            history == (depth == 0 ? "\(updates + 2)" : "\(depth + 2)"), "three commits, and what is before the oldest")
        let rights = try FileManager.default.attributesOfItem(atPath: store.path)[.posixPermissions] as? Int
        #expect(rights == 0o700)
        for number in 0..<3 {
            let commit = try update(["index.html": "again \(number)", "new\(number)/page": "\(number)"], depth: depth)
            try expectWhole("update \(number)")
            #expect(try published().first == commit)
        }
        #expect(store.size().packs == after.packs + 3, "what is there is not copied again")
    }

    @Test(arguments: [FolderShare.most, .part])
    func `keeps that a folder is most of its repository, and looks anew at one that was a part`(share: FolderShare)
        throws
    {
        let folder = TreePath("docs/site")
        try update(["docs/site/index.html": "1"], depth: 1)
        store.note(share, of: folder)
        #expect(store.share(of: folder) == share && store.share(of: TreePath("docs")) == nil)
        try store.compact(keeping: published(), depth: 1)
        #expect(store.share(of: folder) == (share == .most ? .most : nil))
    }

    @Test(arguments: [0, 1, 2])
    func `works on merges and on what came from a shallow clone`(depth: Int) throws {
        for number in 0..<5 { try source.commit(["file": "\(number)"]) }
        try source.git("checkout", "-q", "-b", "side")
        try source.commit(["side/page": "side"])
        try source.git("checkout", "-q", "main")
        try source.commit(["file": "main"])
        try source.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
        let clone = try TemporaryFolder()
        try Command.run(
            ["git", "clone", "-q", "--depth", "2", "file://" + source.path, clone("shallow")],
            environment: GitRepository.environment())
        for path in [clone("shallow"), source.path] {
            try fetch(depth: depth, from: path)
            let kept = try published()
            #expect(try store.compact(keeping: kept, depth: depth) == kept)
            try expectWhole(path)
            try update(["file": "next \(path)"], depth: depth)
            try expectWhole(path)
        }
    }

    @Test func `keeps nothing of a commit that is not kept`() throws {
        let gone = UUID().uuidString
        try update(["file": gone], depth: 1)
        let blob = try source.git("rev-parse", "HEAD:file")
        let kept = try update(["file": "kept"], depth: 1)
        try store.compact(keeping: [kept], depth: 1)
        try expectWhole()
        #expect(try published() == [kept])
        #expect(try git("cat-file", "-t", blob).hasPrefix("128"))
    }

    @Test func `empties a store of which nothing is to be kept`() throws {
        try update(["file": (0..<500).map { _ in UUID().uuidString }.joined()], depth: 1)
        #expect(store.size().bytes > 5_000)
        #expect(try store.compact(keeping: [], depth: 1) == [])
        #expect(store.size().bytes == 0 && store.exists)
        try update(["file": "again"], depth: 1)
        try expectWhole()
    }

    @Test func `leaves out a commit that is damaged, unless it is the first`() throws {
        var commits: [ObjectID] = []
        for number in 0..<3 {
            let packs = try Set(store.exists ? names() : [])
            commits.append(try update(["file": "\(number) \(UUID())"], depth: 1))
            guard number == 1 else { continue }
            for pack in try names() where !packs.contains(pack) { unlink(store.path + "/objects/pack/" + pack) }
        }
        let before = try folder.snapshot()
        #expect(throws: GitError.self) { try store.compact(keeping: [commits[1], commits[2]], depth: 1) }
        #expect(try folder.snapshot() == before)
        #expect(try store.compact(keeping: commits.reversed(), depth: 1) == [commits[2], commits[0]])
        #expect(try published() == [commits[2], commits[0]])
        try expectWhole()
    }

    @Test func `that is cancelled leaves the old store and nothing else`() async throws {
        let commit = try update(["file": "x"], depth: 1)
        let before = try folder.snapshot()
        let task = Task { [store] in
            withUnsafeCurrentTask { $0?.cancel() }
            try store.compact(keeping: [commit], depth: 1)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try folder.snapshot() == before)
    }

    @Test func `that was killed at any step is undone or finished by the next start`() throws {
        let commit = try update(["file": "x"], depth: 1)
        let manager = FileManager.default
        // While the new one is filled, or when the names are exchanged and the old one is partly removed.
        try folder.write("copied", to: "git.new/sidekick-origin")
        try folder.write("partial", to: "git.new/objects/pack/pack_git2_ab12")
        #expect(store.sweep() == 1)
        try expectWhole()
        // Between the two renames of a file system that cannot exchange.
        try manager.copyItem(atPath: folder("git"), toPath: folder("git.new"))
        try manager.moveItem(atPath: folder("git"), toPath: folder("git.old"))
        #expect(store.sweep() == 1)
        try expectWhole()
        // After them.
        try manager.copyItem(atPath: folder("git"), toPath: folder("git.old"))
        #expect(store.sweep() == 1)
        try expectWhole()
        #expect(try published() == [commit])
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: store.path + "/objects/pack")
    }
}
