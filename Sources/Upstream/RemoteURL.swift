public import Platform

/// The address of a repository in one of the forms that git takes (git-clone(1), GIT URLS), its password kept apart. It is
/// read once, byte by byte: a letter that combines with a delimiter before it (U+0301 after a slash) hides none.
public struct RemoteURL: Sendable, Equatable, CustomStringConvertible {
    /// How it is reached.
    public enum Transport: Sendable, Equatable { case https, http, git, ssh, local }

    /// Why a text is not an address.
    public enum Invalid: Error, Sendable, Equatable {
        case empty
        case scheme(String)
        case host
        case path
        /// A `/`, `?` or `#` in the user or the password ends the host there: it must be percent-encoded.
        case password
    }

    /// How it is reached.
    public let transport: Transport
    /// The address without user and password, which only `user@host:path` keeps the user of; for `.local` a path.
    public let address: String
    /// From the address.
    public let user: String?
    /// From the address.
    public let password: Secret?
    /// Without brackets; empty for `.local`.
    private let host: String
    /// Where one is given.
    private let port: Int?
    /// As the server is to see it.
    private let path: String

    /// Reads an address.
    public init(_ text: String) throws(Invalid) {
        let bytes = Array(text.utf8)[...]
        guard !bytes.isEmpty else { throw .empty }
        guard !bytes.contains(where: \.isControl) else { throw .path }
        // To git that is the name of a program, `git remote-NAME`, and what it is given (gitremote-helpers(7)).
        let name = bytes.prefix { $0.isLetter || $0.isDigit || "+-.".utf8.contains($0) }
        if name.first?.isLetter == true, bytes[name.endIndex...].starts(with: "::".utf8) {
            throw .scheme(name.lowercasedASCII.asText)
        }
        if let separator = bytes.firstRange(of: "://".utf8) {
            let scheme = bytes[..<separator.lowerBound].lowercasedASCII.asText
            let rest = bytes[separator.upperBound...]
            if scheme == "file" { try self.init(file: rest) } else { try self.init(scheme: scheme, rest: rest) }
        } else if let colon = bytes.firstIndex(where: { ":/".utf8.contains($0) }), bytes[colon] == UInt8(ascii: ":") {
            // As in git, a colon before the first slash makes it no path.
            try self.init(short: bytes, colon: colon)
        } else {
            self.init(local: text)
        }
    }

    private init(local path: String) {
        (transport, address, user, password, host, port, self.path) = (.local, path, nil, nil, "", nil, path)
    }

    private init(file rest: ArraySlice<UInt8>) throws(Invalid) {
        let slash = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        guard slash == rest.startIndex || rest[..<slash].elementsEqual("localhost".utf8) else { throw .host }
        let path = rest[slash...]
        guard path.count > 1, path.firstRange(of: "%00".utf8) == nil else { throw .path }
        self.init(local: path.percentDecoded.asText)
    }

    private init(scheme: String, rest: ArraySlice<UInt8>) throws(Invalid) {
        let transports: [String: Transport] = [
            "https": .https, "http": .http, "git": .git, "ssh": .ssh, "git+ssh": .ssh, "ssh+git": .ssh,
        ]
        guard let transport = transports[scheme] else { throw .scheme(scheme) }
        self.transport = transport
        // As RFC 3986 ends it: whatever connects must see the same host.
        let end = rest.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
        let (authority, path) = (rest[..<end], rest[end...])
        let isHTTP = transport == .https || transport == .http
        let place: Authority
        do throws(Invalid) {
            place = try Authority(authority, isSSH: transport == .ssh)
            guard path.first == UInt8(ascii: "/") else { throw Invalid.path }
            // An empty port is none, but a password may begin with the slash.
            guard !isHTTP || authority.last != UInt8(ascii: ":") || !path.contains(UInt8(ascii: "@")) else {
                throw Invalid.password
            }
        } catch {
            // What stands before the slash may be `user:` and the first part of a password, and no host and port.
            let isLogin = authority.contains(UInt8(ascii: ":")) || path.first != UInt8(ascii: "/")
            throw isHTTP && isLogin && path.contains(UInt8(ascii: "@")) ? .password : error
        }
        guard !isHTTP || !place.isBracketed || place.isIPv6 else { throw .host }
        let host = place.host.percentDecoded
        guard Authority.isHost(host[...]) else { throw .host }
        guard path.count > 1, path.firstRange(of: "%00".utf8) == nil else { throw .path }
        let decoded = path.percentDecoded[...]
        // A line of git's protocol ends there.
        guard transport != .git || !decoded.contains(UInt8(ascii: "\n")) else { throw .path }
        self.path = (isHTTP ? decoded : Self.home(decoded)).asText
        self.host = host.asText
        port = place.port
        user = place.user.flatMap { $0.isEmpty ? nil : $0.percentDecoded.asText }
        password = place.password.map { Secret($0.percentDecoded.asText) }
        guard transport != .ssh || user?.utf8.first != UInt8(ascii: "-") else { throw .host }
        address = "\(scheme)://\(place.shown)\(path.asText)"
    }

    /// The same with another user.
    public func with(user: String?) -> RemoteURL { RemoteURL(self, user: user) }

    private init(_ other: RemoteURL, user: String?) {
        (transport, address, password, host, port, path) = (
            other.transport, other.address, other.password, other.host, other.port, other.path
        )
        self.user = user
    }

    /// `user@host:path`, of which nothing is percent-encoded.
    private init(short text: ArraySlice<UInt8>, colon: Int) throws(Invalid) {
        var end = colon
        if let open = Authority.bracket(in: text), open <= colon {
            guard let close = text[open...].firstRange(of: "]:".utf8) else { throw .host }
            end = close.lowerBound + 1
        }
        let place = try Authority(text[..<end], isSSH: true)
        // It is shown as it stands there, so that no password may be in it.
        guard Authority.isHost(place.host), place.password == nil else { throw .host }
        let path = Self.home(text[(end + 1)...])
        // To a program at the other end, what begins with a hyphen is an option.
        guard let first = path.first, first != UInt8(ascii: "-") else { throw .path }
        (transport, address, host, port, self.path) = (.ssh, text.asText, place.host.asText, place.port, path.asText)
        user = place.user.flatMap { $0.isEmpty ? nil : $0.asText }
        password = nil
        guard user?.utf8.first != UInt8(ascii: "-") else { throw .host }
    }

    /// git takes away the one byte before a `~`, which is meant to be a slash: `/~bob/site` is `~bob/site`.
    private static func home(_ path: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        path.dropFirst().first == UInt8(ascii: "~") ? path.dropFirst() : path
    }

    /// The address for people: never a password.
    public var description: String { address }

    /// `host:port` with the port spelled out, in lower case: what a credential is bound to. Empty for `.local`.
    public var authority: String {
        let ports: [Transport: Int] = [.https: 443, .http: 80, .git: 9418, .ssh: 22]
        guard let defaultPort = ports[transport] else { return "" }
        return "\(shownHost.lowercased()):\(port ?? defaultPort)"
    }

    /// Host and port as they stand in the address, and the path as the server is to see it: one of somebody's home begins
    /// with `~`, as in git.
    var parts: (host: String, path: String) { (shownHost + (port.map { ":\($0)" } ?? ""), path) }

    private var shownHost: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host }

    /// The host without brackets, and the port.
    func endpoint(defaultPort: Int) -> (host: String, port: Int) { (host, port ?? defaultPort) }
}

/// What stands before the path: `user:password@host:port`, each as it stands there.
private struct Authority {
    typealias Bytes = ArraySlice<UInt8>

    let user: Bytes?
    let password: Bytes?
    /// Without brackets.
    let host: Bytes
    let isBracketed: Bool
    let port: Int?

    /// - Parameter isSSH: whether brackets hold all that ssh is given, as in git: `[user@host:2222]:path` has no other way to
    ///   name a port.
    init(_ text: Bytes, isSSH: Bool) throws(RemoteURL.Invalid) {
        let at = text.lastIndex(of: UInt8(ascii: "@"))
        let hostStart = at.map { $0 + 1 } ?? text.startIndex
        let open = isSSH ? Self.bracket(in: text) : text[hostStart...].first == UInt8(ascii: "[") ? hostStart : nil
        var name = text
        var port = Bytes()
        if let open {
            guard let close = text[open...].firstIndex(of: UInt8(ascii: "]")) else { throw .host }
            name = text[..<open] + text[(open + 1)..<close]
            let rest = text[(close + 1)...]
            guard rest.isEmpty || rest.first == UInt8(ascii: ":") else { throw .host }
            port = rest.dropFirst()
            if isSSH, port.isEmpty, let colon = name.firstIndex(of: UInt8(ascii: ":")), colon + 1 < name.endIndex,
                name[(colon + 1)...].allSatisfy(\.isDigit)
            {
                port = name[(colon + 1)...]
                name = name[..<colon]
            }
        }
        let end = name.lastIndex(of: UInt8(ascii: "@"))
        var host = name[(end.map { $0 + 1 } ?? name.startIndex)...]
        if open == nil, let colon = host.firstIndex(of: UInt8(ascii: ":")) {
            port = host[(colon + 1)...]
            host = host[..<colon]
        }
        (self.host, isBracketed) = (host, open != nil)
        guard let number = Self.number(port) else { throw .host }
        self.port = number
        let login = end.map { name[..<$0] }
        let colon = login?.firstIndex(of: UInt8(ascii: ":"))
        user = login.map { login in colon.map { login[..<$0] } ?? login }
        password = login.flatMap { login in colon.map { login[($0 + 1)...] } }
        guard !host.contains(UInt8(ascii: ":")) || isIPv6 else { throw .host }
    }

    /// Where a bracket opens, as git finds it.
    static func bracket(in text: Bytes) -> Int? {
        text.first == UInt8(ascii: "[") ? text.startIndex : text.firstRange(of: "@[".utf8).map { $0.lowerBound + 1 }
    }

    /// The number, or `nil` within for none; a colon by itself names none either.
    private static func number(_ text: Bytes) -> Int?? {
        guard !text.isEmpty else { return .some(nil) }
        guard text.allSatisfy(\.isDigit), let port = UInt16(text.asText), port > 0 else { return nil }
        return Int(port)
    }

    var isIPv6: Bool { host.count { $0 == UInt8(ascii: ":") } > 1 }

    /// Whether nobody who connects takes it for something else.
    static func isHost(_ host: Bytes) -> Bool {
        guard let first = host.first, first != UInt8(ascii: "-") else { return false }
        return !host.contains { $0.isControl || "/?#@[]".utf8.contains($0) }
    }

    /// Host and port for an address.
    var shown: String { (isBracketed && isIPv6 ? "[\(host.asText)]" : host.asText) + (port.map { ":\($0)" } ?? "") }
}
