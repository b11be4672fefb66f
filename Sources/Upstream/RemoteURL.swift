import Git
import Platform

/// The address of a repository in one of the forms that git takes (git-clone(1), GIT URLS), its password kept apart.
public struct RemoteURL: Sendable, Equatable, CustomStringConvertible {
    /// How it is reached.
    public enum Transport: Sendable, Equatable { case https, http, git, ssh, local }

    /// Why a text is not an address.
    public enum Invalid: Error, Sendable, Equatable {
        case empty
        case scheme(String)
        case host
        case path
    }

    /// How it is reached.
    public let transport: Transport
    /// The address without user and password; for `.local` a path.
    public let address: String
    /// From the address.
    public let user: String?
    /// From the address.
    public let password: Secret?

    /// Reads an address.
    public init(_ text: String) throws(Invalid) { self = try Self.parse(text) }

    private init(_ transport: Transport, _ address: String, user: String? = nil, password: Secret? = nil) {
        self.transport = transport
        self.address = address
        self.user = user
        self.password = password
    }

    private static func parse(_ text: String) throws(Invalid) -> RemoteURL {
        guard !text.isEmpty else { throw .empty }
        guard !text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) else { throw .path }
        guard let separator = text.firstRange(of: "://") else { return try parse(withoutScheme: text) }
        let scheme = text[..<separator.lowerBound].lowercased()
        let rest = text[separator.upperBound...]
        // As RFC 3986 ends it: whatever connects must see the same host.
        let slash = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let authority = rest[..<slash]
        let path = rest[slash...]
        let at = authority.lastIndex(of: "@")
        let host = at.map { authority[authority.index(after: $0)...] } ?? authority
        let userInfo = at.map { authority[..<$0] }
        let colon = userInfo?.firstIndex(of: ":")
        let user = userInfo.map { decoded($0[..<(colon ?? $0.endIndex)]) }.flatMap { $0.isEmpty ? nil : $0 }
        let password = userInfo.flatMap { info in colon.map { Secret(decoded(info[info.index(after: $0)...])) } }
        let transport: Transport
        switch scheme {
        case "file":
            guard host.isEmpty || host == "localhost" else { throw .host }
            guard path.count > 1 else { throw .path }
            return RemoteURL(.local, decoded(path))
        case "https": transport = .https
        case "http": transport = .http
        case "git": transport = .git
        case "ssh", "git+ssh", "ssh+git": transport = .ssh
        default: throw .scheme(String(scheme))
        }
        guard !host.isEmpty, host.first != "-", host.first != ":", hasSoundPort(host) else { throw .host }
        guard path.count > 1, path.first == "/" else { throw .path }
        guard !decoded(path).utf8.contains(0) else { throw .path }
        guard user?.hasPrefix("-") != true else { throw .host }
        return RemoteURL(transport, "\(scheme)://\(host)\(path)", user: user, password: password)
    }

    /// What stands behind the host's colon must be a number: a password with a slash in it would else pass for a port, and
    /// be repeated as part of the address.
    private static func hasSoundPort(_ host: Substring) -> Bool {
        let end = host.lastIndex(of: "]") ?? host.startIndex
        guard let colon = host[end...].firstIndex(of: ":") else { return true }
        let port = host[host.index(after: colon)...]
        return UInt16(port) != nil && port.allSatisfy(\.isNumber)
    }

    /// A path, or `user@host:path`: as in git, a colon before the first slash makes it the latter.
    private static func parse(withoutScheme text: String) throws(Invalid) -> RemoteURL {
        let slash = text.firstIndex(of: "/") ?? text.endIndex
        guard let colon = text.firstIndex(of: ":"), colon < slash else { return RemoteURL(.local, text) }
        let end = text[..<slash].firstRange(of: "]:")?.lowerBound ?? colon
        let before = text[..<(end == colon ? colon : text.index(after: end))]
        let at = before.lastIndex(of: "@")
        let user = at.map { String(before[..<$0]) }.flatMap { $0.isEmpty ? nil : $0 }
        let host = at.map { before[before.index(after: $0)...] } ?? before
        guard !host.isEmpty, host.first != "-", user?.hasPrefix("-") != true else { throw .host }
        guard text.index(after: before.endIndex) < text.endIndex else { throw .path }
        return RemoteURL(.ssh, text, user: user)
    }

    /// The address for people: never a password.
    public var description: String { address }

    /// `host:port` with the port spelled out, in lower case: what a credential is bound to.
    var authority: String {
        guard let separator = address.firstRange(of: "://") else { return parts.host.lowercased() }
        let host = address[separator.upperBound...].prefix { $0 != "/" }.lowercased()
        if host.parts(at: "]").last?.contains(":") == true { return host }
        let ports: [Transport: Int] = [.https: 443, .http: 80, .git: 9418, .ssh: 22]
        return host + (ports[transport].map { ":\($0)" } ?? "")
    }

    /// Host and port as they stand in the address, and the path as the server is to see it: one of somebody's home begins
    /// with `~`, as in git.
    var parts: (host: String, path: String) {
        guard let separator = address.firstRange(of: "://") else {
            // user@host:path
            let path =
                address.firstRange(of: "]:").map { $0.upperBound }
                ?? address.firstIndex(of: ":").map(address.index(after:))
            guard let path else { return ("", address) }
            let before = address[..<address.index(before: path)]
            let host = before.lastIndex(of: "@").map { before[before.index(after: $0)...] } ?? before[...]
            return (String(host), String(address[path...]))
        }
        let rest = address[separator.upperBound...]
        let host = rest.prefix { $0 != "/" }
        let path = Self.decoded(rest[host.endIndex...])
        return (String(host), path.hasPrefix("/~") ? String(path.dropFirst()) : path)
    }

    /// The host without brackets, and the port.
    func endpoint(standard: Int) -> (host: String, port: Int) {
        let text = parts.host
        let end = text.lastIndex(of: "]") ?? text.startIndex
        let colon = text[end...].firstIndex(of: ":")
        let host = text[..<(colon ?? text.endIndex)]
        let port = colon.map { Int(text[text.index(after: $0)...]) ?? standard } ?? standard
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        return (String(isBracketed ? host.dropFirst().dropLast() : host), port)
    }

    private static func decoded(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest.removeFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
