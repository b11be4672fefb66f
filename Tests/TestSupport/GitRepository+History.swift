import Foundation

extension GitRepository {
    /// What stands for a commit of another repository among the files of `history`.
    public static func gitlink(_ commit: String) -> String { "\u{1}gitlink \(commit)" }

    /// Many commits in one go, each on top of the one before, beside the branches that there are. What a commit does not
    /// name stays; `nil` removes a path. Nothing of it is in the work tree.
    ///
    /// - Parameter date: of each commit by its number, in seconds since 1970.
    /// - Returns: their ids, the oldest first.
    public func history(_ commits: [[String: String?]], date: (Int) -> Int = { 1_700_000_000 + $0 }) throws -> [String]
    {
        var script = Data()
        let branch = "refs/heads/history-\(UUID())"
        for (number, files) in commits.enumerated() {
            script += Data(
                "commit \(branch)\nmark :\(number + 1)\ncommitter T <t@example.org> \(date(number)) +0000\ndata 0\n"
                    .utf8)
            // Removals first: a file may make way for a folder.
            for (path, text) in files where text == nil { script += Data("D \(path)\n".utf8) }
            for case (let path, let text?) in files {
                if text.hasPrefix(Self.gitlink("")) {
                    script += Data("M 160000 \(text.dropFirst(Self.gitlink("").count)) \(path)\n".utf8)
                    continue
                }
                script += Data("M 100644 inline \(path)\ndata \(text.utf8.count)\n\(text)\n".utf8)
            }
        }
        try git("fast-import", "--quiet", input: script)
        return try git("rev-list", "--reverse", branch).split(separator: "\n").map(String.init)
    }

    /// Commits on top of `main`, which is checked out, one after the other, by one git for all.
    public func commits(_ texts: [[String: String]]) throws {
        var script = Data()
        for (number, files) in texts.enumerated() {
            script += Data("commit refs/heads/main\ncommitter T <t@example.org> now\ndata 0\n".utf8)
            if number == 0 { script += Data("from refs/heads/main^0\n".utf8) }
            for (path, text) in files {
                script += Data("M 100644 inline \(path)\ndata \(text.utf8.count)\n\(text)\n".utf8)
            }
        }
        try git("fast-import", "--quiet", "--date-format=now", input: script)
        try git("reset", "-q", "--hard")
    }

    /// Moves the branch that sidekick follows, wherever it was: what a push does, forced or not.
    public func push(_ commit: String) throws { try git("update-ref", "refs/heads/main", commit) }
}
