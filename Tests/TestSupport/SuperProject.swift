import Foundation

/// A repository with submodules: gitlinks, and the file that names them.
extension GitRepository {
    /// Puts commits of other repositories at paths, and nothing else of them.
    @discardableResult
    public func commit(modules: [(path: String, url: String, commit: String)], _ files: [String: String?] = [:]) throws
        -> String
    {
        let text = modules.map { "[submodule \"\($0.path)\"]\n\tpath = \($0.path)\n\turl = \($0.url)\n" }.joined()
        for (name, text) in files {
            if let text { try folder.write(text, to: name) } else { unlink(folder(name)) }
        }
        try folder.write(text, to: ".gitmodules")
        try git("add", "-A")
        for path in try git("ls-files", "-s").split(separator: "\n") where path.hasPrefix("160000") {
            try git("update-index", "--force-remove", String(path.split(separator: "\t")[1]))
        }
        for module in modules {
            try git("update-index", "--add", "--cacheinfo", "160000,\(module.commit),\(module.path)")
        }
        try git("commit", "-q", "--allow-empty", "-m", "Modules")
        return try head
    }

    /// Pushes to a bare repository of that name.
    public func pushBare(to folder: TemporaryFolder, as name: String) throws {
        if !folder.has(name) {
            try Command.run(["git", "clone", "-q", "--bare", path, folder(name)], environment: Self.environment())
        } else {
            try git("push", "-q", "--force", folder(name), "HEAD:refs/heads/main")
        }
    }
}

/// What a fresh clone with all submodules has and a folder has not, or the other way around, as diff(1) tells it.
///
/// - Parameters:
///   - lfs: whether git-lfs brings what is kept by it.
///   - logins: a file of logins by host.
public func differencesFromClone(
    _ folder: String, of url: String, lfs: Bool = false, logins: String? = nil
) throws -> String {
    let clone = try TemporaryFolder()
    let credentials = logins.map { ["-c", "credential.helper=store --file=\($0)"] } ?? []
    let filters = [
        "filter.lfs.smudge=git-lfs smudge -- %f", "filter.lfs.process=git-lfs filter-process",
        "filter.lfs.required=true",
    ]
    try Command.run(
        ["git", "-c", "protocol.file.allow=always"] + credentials + (lfs ? filters.flatMap { ["-c", $0] } : []) + [
            "clone", "-q", "--recurse-submodules", url, clone("site"),
        ],
        environment: GitRepository.environment())
    return try Command.run(
        ["diff", "-r", "--no-dereference", "-x", ".git", clone("site"), folder], mayFail: true
    ).text
}
