import Git
import Platform

/// The address of a server of Git LFS: of http or https, its login kept apart. The root of a host is one too.
public struct LFSAddress: Sendable, Equatable {
    /// Without a login, and without a slash at its end.
    let url: String
    /// The same as the address of a repository, which is never the root of a host.
    let remote: RemoteURL

    /// `nil` for anything else.
    public init?(_ text: String) {
        var trimmed = text.utf8[...]
        while trimmed.last == UInt8(ascii: "/") { trimmed.removeLast() }
        let text = trimmed.asText
        if let remote = try? RemoteURL(text) {
            (self.remote, url) = (remote, remote.address)
        } else if let remote = try? RemoteURL(text + Self.root) {
            (self.remote, url) = (remote, String(remote.address.dropLast(Self.root.utf8.count)))
        } else {
            return nil
        }
        guard remote.transport == .http || remote.transport == .https else { return nil }
    }

    private static let root = "/-"
}

/// A server of Git LFS: where it is, and what shows who asks.
struct LFSEndpoint: Sendable {
    /// Without a login, and without a slash at its end.
    let url: String
    /// How it is reached: of the repository's own secrets, those that are its own.
    let options: UpstreamOptions
    /// What a server over ssh gave in place of a login.
    var headers: [String: String] = [:]
    /// Until when that is good, where it says so.
    var end: ContinuousClock.Instant?
    /// The repository, where the server is at its origin: a login for that one will do.
    let home: RemoteURL?

    /// - Parameter repository: how the repository is reached.
    init(_ address: LFSAddress, of repository: UpstreamOptions) {
        home = repository.url.isHome(of: address.remote) ? repository.url : nil
        url = address.url
        options = repository.reaching(address.remote)
    }

    var origin: HTTPOrigin? { HTTPOrigin(url) }
    var isOver: Bool { LFSBatch.isOver(end) }
}

extension RemoteURL {
    /// Where git-lfs looks for a repository's server (git-lfs, docs/api/server-discovery.md); `nil` for a repository on this machine.
    var lfsAddress: LFSAddress? {
        let prefix: String
        // As it stands there: what is percent-encoded stays so.
        var path = parts.path.utf8[...]
        if let start = address.utf8.firstRange(of: "://".utf8)?.upperBound {
            path = address.utf8[start...].drop { $0 != UInt8(ascii: "/") }
        }
        switch transport {
        case .local: return nil
        case .http, .https: prefix = address.utf8[..<path.startIndex].asText
        case .git: prefix = "https://" + parts.host
        case .ssh:
            let host = endpoint(defaultPort: 0).host
            prefix = "https://" + (host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host)
        }
        if path.last == UInt8(ascii: "/") { path.removeLast() }
        while path.first == UInt8(ascii: "/") { path.removeFirst() }
        let isPlain: (UInt8) -> Bool = { $0 > 32 && $0 < 127 }
        let text =
            path.allSatisfy(isPlain)
            ? path.asText : path.asText.parts(at: "/").map { String($0).urlSegment }.joined(separator: "/")
        let suffix = text.utf8.suffix(4).elementsEqual(".git".utf8) ? "" : ".git"
        return LFSAddress("\(prefix)/\(text)\(suffix)/info/lfs")
    }
}

extension UpstreamOptions {
    /// How another place is reached. What is the repository's own (a login, an App, a key, a certificate) goes to no other origin; what
    /// is listed by host, or by the beginning of an address, goes where it is listed for.
    func reaching(_ url: RemoteURL) -> UpstreamOptions {
        var options = self
        let isHome = self.url.isHome(of: url)
        options.url = isHome && url.user == nil ? url.with(user: self.url.user) : url
        options.ssh.prefersListedKeys = true
        guard isHome else {
            options.app = nil
            (options.tls.certificate, options.tls.key) = (nil, nil)
            options.ssh.key = nil
            options.credentials.forgetOwn()
            return options
        }
        // The login may stand in the address of the repository alone.
        if options.credentials.password == nil, let password = self.url.password, url.password == nil {
            options.credentials.password = .value(password)
            options.credentials.user = options.credentials.user ?? self.url.user
        }
        return options
    }
}
