import CLibgit2
import Platform

extension Repository {
    /// Remembers a commit as the one that is published, and up to two before it. Nothing is written when it is already.
    ///
    /// A process that is killed in between leaves at least what was published before and the commit that was: one of them
    /// may stand twice, and the list is whole again with the next commit.
    ///
    /// - Throws: `GitError` when the commit is not here or a reference cannot be written.
    public borrowing func notePublished(_ commit: ObjectID) throws(GitError) {
        let before = publishedCommits()
        let after = ([commit] + before.filter { $0 != commit }).prefix(StoreReference.published.count)
        var writes = Array(zip(StoreReference.published, after))
        // What is pushed down is written below before it is written over above; what comes back up is written there first.
        if !before.contains(commit) { writes.reverse() }
        for (name, id) in writes where published(name) != id { try setReference(name, to: id) }
    }

    /// The commits that `notePublished` remembers and that can be read, newest first, each once.
    public borrowing func publishedCommits() -> [ObjectID] {
        var commits: [ObjectID] = []
        for name in StoreReference.published {
            if let id = published(name), !commits.contains(id) { commits.append(id) }
        }
        return commits
    }

    private borrowing func published(_ name: ReferenceName) -> ObjectID? {
        var oid = git_oid()
        guard name.withCString({ git_reference_name_to_id(&oid, pointer, $0) }) == 0 else { return nil }
        return (try? commit(ObjectID(oid)))?.id
    }

    /// The commit that was fetched last and proven to make a tree; `nil` when there is none that can be read.
    public borrowing func fetchedCommit() -> ObjectID? { published(StoreReference.fetched) }

    /// Remembers a commit as fetched: whatever a server has from it, it will not send again. Only of one that is known to be whole.
    public borrowing func noteFetched(_ commit: ObjectID) throws(GitError) {
        if fetchedCommit() != commit { try setReference(StoreReference.fetched, to: commit) }
    }

    /// How many commits lie between a commit and the nearest end of its history that is here, both counted. What cannot be read is an
    /// end as well; where it has none, and where it is too wide to be counted, it is `max`.
    public borrowing func depth(of commit: ObjectID, endingAt ends: Set<ObjectID>, atMost max: Int) throws -> Int {
        var (generation, seen): ([ObjectID], Set<ObjectID>) = ([commit], [commit])
        for level in 1..<max {
            var parents: [ObjectID] = []
            for id in generation {
                guard !ends.contains(id), let commit = try? self.commit(id) else { return level }
                parents += commit.parents.filter { seen.insert($0).inserted }
            }
            guard !parents.isEmpty, seen.count < 1_000 else { break }
            generation = parents
        }
        return max
    }

    /// The commit in this repository whose id begins with these digits; `nil` when there is none. Objects of other kinds
    /// that begin alike do not count.
    ///
    /// - Parameter text: 4 to 40 hexadecimal digits of either case.
    /// - Throws: `GitError` with `isInvalidName` when it is not that, or when more than one commit begins so.
    public borrowing func commit(abbreviated text: String) throws(GitError) -> ObjectID? {
        let digits = Array(text.utf8)
        guard (4...40).contains(digits.count), digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
            throw GitError(
                call: "commit", code: GIT_EINVALIDSPEC.rawValue,
                message: "\"\(text.printable())\" is not a commit id, which is 4 to 40 hexadecimal digits")
        }
        let database = try database()
        defer { git_odb_free(database) }
        var prefix = git_oid()
        try check("git_oid_fromstrn") { git_oid_fromstrn(&prefix, text, digits.count) }
        var found = git_oid()
        switch git_odb_exists_prefix(&found, database, &prefix, digits.count) {
        case 0: return Self.isCommit(&found, in: database) ? ObjectID(found) : nil
        case GIT_ENOTFOUND.rawValue: return nil
        case GIT_EAMBIGUOUS.rawValue: break
        case let code: try check("git_odb_exists_prefix") { code }
        }
        let matches = Matches(prefix: prefix, count: digits.count)
        try check("git_odb_foreach") {
            git_odb_foreach(
                database,
                { oid, payload in
                    guard let oid, let payload else { return GIT_EUSER.rawValue }
                    Unmanaged<Matches>.fromOpaque(payload).takeUnretainedValue().take(oid)
                    return 0
                }, Unmanaged.passUnretained(matches).toOpaque())
        }
        var commits: Set<ObjectID> = []
        for id in matches.ids {
            var oid = id.raw
            if Self.isCommit(&oid, in: database) { commits.insert(id) }
        }
        guard commits.count < 2 else {
            throw GitError(
                call: "commit", code: GIT_EAMBIGUOUS.rawValue, message: "\(commits.count) commits begin with \(text)")
        }
        return commits.first
    }

    private static func isCommit(_ oid: inout git_oid, in database: OpaquePointer) -> Bool {
        var size = 0
        var kind = GIT_OBJECT_INVALID
        return git_odb_read_header(&size, &kind, database, &oid) == 0 && kind == GIT_OBJECT_COMMIT
    }
}

/// The objects whose ids begin alike.
private final class Matches {
    private var prefix: git_oid
    private let count: Int
    private(set) var ids: [ObjectID] = []

    init(prefix: git_oid, count: Int) {
        self.prefix = prefix
        self.count = count
    }

    func take(_ oid: UnsafePointer<git_oid>) {
        if git_oid_ncmp(oid, &prefix, count) == 0 { ids.append(ObjectID(oid.pointee)) }
    }
}
