import Platform

extension RemoteURL {
    /// The page of a commit where its repository is a forge's, which is told by the host's name alone: one that is called otherwise has
    /// none.
    ///
    /// - Parameter commit: all forty digits.
    public func page(of commit: String) -> String? {
        guard transport == .https || transport == .http || transport == .ssh else { return nil }
        let (host, port) = endpoint(defaultPort: 0)
        let labels = host.lowercased().parts(at: ".")
        let way: String
        if labels.contains("gitlab") {
            way = "/-/commit/"
        } else if host.lowercased() == "bitbucket.org" {
            way = "/commits/"
        } else if !Self.forges.isDisjoint(with: labels) {
            way = "/commit/"
        } else {
            return nil
        }
        // Of ssh the port is another server's.
        let place = port > 0 && transport != .ssh ? ":\(port)" : ""
        var path = Array(parts.path.utf8).drop { $0 == UInt8(ascii: "/") }
        while path.last == UInt8(ascii: "/") { path.removeLast() }
        if path.reversed().starts(with: ".git".utf8.reversed()) { path.removeLast(4) }
        guard !path.isEmpty else { return nil }
        return "\(transport == .http ? "http" : "https")://\(host)\(place)/\(Self.encoded(path))\(way)\(commit)"
    }

    private static let forges: Set<Substring> = ["github", "codeberg", "gitea", "forgejo", "gogs"]

    /// RFC 3986: what is unreserved as it is, and the slash.
    private static func encoded(_ path: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in path {
            if byte.isLetter || byte.isDigit || "-._~/".utf8.contains(byte) {
                text.append(byte)
            } else {
                text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
