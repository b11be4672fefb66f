import Foundation

/// A work tree, the bare repository that it is pushed to, and the web server that gives it out.
public final class HTTPRemote: Sendable {
    /// Where commits are made.
    public let source: GitRepository
    /// Where `bare` is.
    public let folder: TemporaryFolder
    /// The bare repository's path.
    public let bare: String
    /// The server in front of it.
    public let server: Nginx

    /// Makes one with a first commit.
    public init(
        _ files: [String: String?], login: (user: String, password: String)? = nil, version2: Bool = true
    ) async throws {
        source = try GitRepository()
        try source.commit(files)
        (folder, bare) = try source.bareClone()
        try source.git("remote", "add", "origin", bare)
        server = try await Nginx(gitRepositoriesIn: folder.path, login: login, version2: version2)
    }

    /// The address, through another port where a proxy stands in front.
    public func url(port: UInt16? = nil, userInfo: String = "") -> String {
        "http://\(userInfo)127.0.0.1:\(port ?? server.port)/site.git"
    }

    /// Commits and pushes.
    @discardableResult
    public func push(_ files: [String: String?], branch: String = "main", force: Bool = false) throws -> String {
        let commit = try source.commit(files)
        try source.git("push", "-q", force ? "--force" : "--no-force", "origin", "HEAD:refs/heads/\(branch)")
        return commit
    }
}
