import Platform
import Foundation
import Git
import TestSupport

@testable import Upstream

/// A repository, the bare one that it is pushed to, and a real server in front of that.
final class SmartRemote {
    /// How it is reached.
    enum Door: String, CaseIterable, Sendable {
        case http, git, ssh
        /// With a login, and a certificate of its own.
        case https
        /// ssh where nothing tells git of version 2.
        case old
        /// The others in version 0.
        case oldHTTP, oldHTTPS, oldGit

        var speaksV0: Bool { [.old, .oldHTTP, .oldHTTPS, .oldGit].contains(self) }
    }

    let source: GitRepository
    let bare: String
    let url: String
    var options: UpstreamOptions
    /// Where `bare` is.
    let bareFolder: TemporaryFolder
    private(set) var nginx: Nginx?
    private var others: [AnyObject] = []
    private(set) var told: [String] = []

    init(_ door: Door, files: [String: String?] = ["index.html": "0"], filter: Bool = false, version2: Bool = true)
        async throws
    {
        source = try GitRepository()
        try source.commit(files)
        (bareFolder, bare) = try source.bareClone()
        try source.git("remote", "add", "origin", bare)
        if filter { try Command.run(["git", "-C", bare, "config", "uploadpack.allowFilter", "true"]) }
        var ssh = SSHOptions()
        var (tls, login) = (TLSOptions(), CredentialSource())
        switch door {
        case .http, .oldHTTP:
            let server = try await Nginx(gitRepositoriesIn: bareFolder.path, version2: version2 && !door.speaksV0)
            nginx = server
            url = "http://127.0.0.1:\(server.port)/site.git"
        case .https, .oldHTTPS:
            let server = try await Nginx(
                gitRepositoriesIn: bareFolder.path, login: ("reader", "s3cr3t"),
                certificate: bareFolder.certificate("server"), version2: !door.speaksV0)
            nginx = server
            tls.authorities = bareFolder("server.crt")
            login = CredentialSource(user: "reader", password: .value(Secret("s3cr3t")))
            url = "https://127.0.0.1:\(server.port)/site.git"
        case .git, .oldGit:
            let server = try await GitDaemon(repositoriesIn: bareFolder.path)
            let proxy = try FaultProxy(to: server.port, hidesVersion: door.speaksV0)
            others = [server, proxy]
            url = "git://127.0.0.1:\(proxy.port)/site.git"
        case .ssh, .old:
            let server = try await SSHServer(takesVersion: door == .ssh)
            if door == .old { try server.allowOnlyGit() }
            others = [server]
            url = server.url(bare)
            ssh = SSHOptions(
                key: .file(server.folder("user_ed25519")), knownHosts: .value(Secret(try server.knownHost())))
        }
        options = UpstreamOptions(
            url: try RemoteURL(url), credentials: login, ssh: ssh, tls: tls, timeout: patience)
    }

    @discardableResult
    func push(_ files: [String: String?], branch: String = "main") throws -> String {
        let commit = try source.commit(files)
        try source.git("push", "-q", "--force", "origin", "HEAD:refs/heads/\(branch)")
        return commit
    }

    /// As a new process would begin.
    func upstream() throws -> any Upstream { try options.makeUpstream(on: GitExecutor()) }

    /// Asks and fetches.
    func fetch(_ upstream: any Upstream, into store: Store, depth: Int, mustFollow: ObjectID? = nil) async throws
        -> ObjectID
    {
        let advertisement = try await upstream.discover()
        try await upstream.fetch(
            FetchRequest(advertisement: advertisement, store: store, depth: depth, mustFollow: mustFollow)
        ) { _ in }
        // As a pass does that has made its tree.
        try store.open().noteFetched(advertisement.commit)
        return advertisement.commit
    }
}

/// What git says of a store.
struct StoreView {
    let path: String

    func git(_ arguments: String...) throws -> String {
        try Command.run(["git"] + arguments, in: path, environment: GitRepository.environment()).text
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What it complains of; empty for a store that is whole.
    func fsck() throws -> String {
        let result = try Command.run(
            ["git", "fsck", "--full", "--no-dangling", "--no-progress"], in: path,
            environment: GitRepository.environment(), mayFail: true)
        return result.status == 0 ? "" : result.error + result.text
    }

    func commits(of id: ObjectID) throws -> Int { Int(try git("rev-list", "--count", "\(id)")) ?? -1 }
    func files(of id: ObjectID) throws -> String { try git("ls-tree", "-r", "\(id)") }
    /// How many objects of a kind are in it.
    func count(_ kind: String) throws -> Int {
        try git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split(separator: "\n").count {
            $0 == kind
        }
    }
}

/// One question by itself.
extension Upstream {
    func discover() async throws -> Advertisement {
        if let fixed { return fixed }
        return try await connected { try await $0.discover() }
    }

    func fetch(
        _ request: FetchRequest, progress: @escaping @Sendable (TransferProgress) throws -> Void
    ) async throws {
        try await connected { try await $0.fetch(request, progress: progress) }
    }
}
