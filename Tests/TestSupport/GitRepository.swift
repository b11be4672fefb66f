public import Foundation

/// A repository made by git itself, in a folder of its own.
public final class GitRepository: Sendable {
    /// The work tree.
    public let folder: TemporaryFolder
    /// The folder, as an address.
    public var path: String { folder.path }
    /// A commit date that every commit gets; `nil` is the present.
    private let date: String?

    /// An empty repository with the branch `main`.
    public init(date: String? = nil) throws {
        folder = try TemporaryFolder()
        self.date = date
        try git("init", "-q", "-b", "main", "--template=")
        try folder.write(
            try folder.read(".git/config") + "[commit]\n\tgpgsign = false\n[gc]\n\tauto = 0\n", to: ".git/config")
    }

    /// Runs git in the work tree; no configuration of this machine reaches in.
    @discardableResult
    public func git(_ arguments: String..., input: Data? = nil, mayFail: Bool = false) throws -> String {
        try run(arguments, input: input, mayFail: mayFail)
    }

    private func run(_ arguments: [String], input: Data? = nil, mayFail: Bool = false) throws -> String {
        let result = try Command.run(
            ["git"] + arguments, in: path, environment: Self.environment(date: date), input: input, mayFail: mayFail)
        return result.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Where the tests' git is found: another one is tried by putting it in front.
    static let searchPath = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"

    /// The folder of that git's own programs.
    static func programs() throws -> String {
        try Command.run(["git", "--exec-path"]).text.trimmingCharacters(in: .newlines)
    }

    /// The environment that git gets in tests.
    public static func environment(date: String? = nil) -> [String: String] {
        var environment = [
            "PATH": searchPath, "HOME": "/nonexistent",
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Test",
            "GIT_AUTHOR_EMAIL": "test@example.org", "GIT_COMMITTER_NAME": "Test",
            "GIT_COMMITTER_EMAIL": "test@example.org",
            "GIT_TERMINAL_PROMPT": "0",
        ]
        if let date {
            environment["GIT_AUTHOR_DATE"] = date
            environment["GIT_COMMITTER_DATE"] = date
        }
        return environment
    }

    /// Writes files (`nil` removes one), commits, and answers with the commit's id.
    @discardableResult
    public func commit(_ files: [String: String?], message: String = "Change") throws -> String {
        // Removals first: a file may make way for a folder.
        for (name, text) in files where text == nil { try FileManager.default.removeItem(atPath: folder(name)) }
        for case (let name, let text?) in files { try folder.write(text, to: name) }
        try git("add", "-A")
        try git("commit", "-q", "--allow-empty", "-m", message)
        return try head
    }

    /// A commit of a tree that was made by hand, with no regard to what git would allow. Rows as `git mktree` takes them.
    public func commit(rows: [(mode: String, name: String, id: String)]) throws -> String {
        var tree = Data()
        for row in rows {
            tree += Data("\(row.mode) \(row.name)\0".utf8)
            var hex = Substring(row.id)
            while let byte = UInt8(hex.prefix(2), radix: 16), !hex.isEmpty {
                tree.append(byte)
                hex = hex.dropFirst(2)
            }
        }
        let id = try git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", input: tree)
        return try commit(tree: id)
    }

    /// A commit of a tree, on top of nothing, as the branch `main`.
    public func commit(tree: String) throws -> String {
        let commit = try git("commit-tree", tree, "-m", "By hand")
        try git("update-ref", "refs/heads/main", commit)
        return commit
    }

    /// A blob.
    public func blob(_ text: String) throws -> String {
        try git("hash-object", "-w", "--stdin", input: Data(text.utf8))
    }

    /// The commit of HEAD.
    public var head: String { get throws { try git("rev-parse", "HEAD") } }

    /// A bare clone in a folder of its own.
    public func bareClone() throws -> (folder: TemporaryFolder, path: String) {
        let folder = try TemporaryFolder()
        try Command.run(
            ["git", "clone", "-q", "--bare", path, folder("site.git")], environment: Self.environment())
        return (folder, folder("site.git"))
    }
}

/// Compares what is published with what git says is in a commit: every path, its bytes, its mode, and nothing else; of a
/// submodule the folder. Names with a newline are not for this.
public func differences(_ tree: String, from repository: String, _ commit: String) throws -> [String] {
    let environment = GitRepository.environment()
    let list = try Command.run(
        ["git", "ls-tree", "-r", "-z", commit], in: repository, environment: environment
    ).output
    var found: [String] = []
    var files: [(file: String, path: String, id: String)] = []
    var expected: Set<String> = []
    for row in list.split(separator: 0) {
        let tab = row.firstIndex(of: 9)!
        let fields = String(decoding: row[..<tab], as: UTF8.self).split(separator: " ")
        let path = String(decoding: row[row.index(after: tab)...], as: UTF8.self)
        expected.insert(path)
        let file = tree + "/" + path
        var status = stat()
        guard lstat(file, &status) == 0 else {
            found.append("missing: \(path)")
            continue
        }
        if fields[0] == "160000" {
            if status.st_mode & S_IFMT != S_IFDIR { found.append("no folder: \(path)") }
            continue
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            found.append("a folder: \(path)")
            continue
        }
        let mode =
            status.st_mode & S_IFMT == S_IFLNK ? "120000" : status.st_mode & 0o111 != 0 ? "100755" : "100644"
        if mode != fields[0] { found.append("mode \(mode), not \(fields[0]): \(path)") }
        if mode != "120000" { files.append((file, path, String(fields[2]))) }
    }
    let ids = try Command.run(
        ["git", "hash-object", "--no-filters", "--stdin-paths"], environment: environment,
        input: Data(files.map { $0.file + "\n" }.joined().utf8)
    ).text.split(separator: "\n")
    for (file, id) in zip(files, ids) where id != file.id { found.append("other bytes: \(file.path)") }
    if ids.count != files.count { found.append("\(ids.count) of \(files.count) files could be read") }
    for case let path as String in FileManager.default.enumerator(atPath: tree) ?? .init() {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: tree + "/" + path, isDirectory: &isFolder)
        if !isFolder.boolValue && !expected.contains(path) && !path.hasPrefix(".sidekick") {
            found.append("surplus: \(path)")
        }
    }
    return found
}
