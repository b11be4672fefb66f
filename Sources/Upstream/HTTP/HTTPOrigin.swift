import Platform

/// What a credential is bound to (RFC 6454): scheme, host and port.
struct HTTPOrigin: Equatable {
    let scheme: String
    /// In lower case; an IPv6 address in brackets.
    let host: String
    let port: Int

    /// `nil` for what is not the address of something over http(s).
    init?(_ url: String) {
        guard let separator = url.utf8.firstRange(of: "://".utf8) else { return nil }
        let authority = url.utf8[separator.upperBound...].prefix { !"/?#".utf8.contains($0) }
        self.init(scheme: url.utf8[..<separator.lowerBound].lowercasedASCII.asText, authority: authority)
    }

    /// - Parameters:
    ///   - scheme: in lower case.
    ///   - authority: what stands before the path; one with a login in it is refused.
    init?(scheme: String, authority: some BidirectionalCollection<UInt8>) {
        guard let defaultPort = ["http": 80, "https": 443][scheme] else { return nil }
        guard !authority.contains(where: { "/?#@".utf8.contains($0) }) else { return nil }
        let end = authority.lastIndex(of: UInt8(ascii: "]")) ?? authority.startIndex
        let colon = authority[end...].firstIndex(of: UInt8(ascii: ":"))
        let digits = authority[(colon ?? authority.endIndex)...].dropFirst()
        guard digits.allSatisfy(\.isDigit), let number = digits.isEmpty ? UInt16(defaultPort) : UInt16(digits.asText)
        else {
            return nil
        }
        self.scheme = scheme
        host = authority[..<(colon ?? authority.endIndex)].lowercasedASCII.asText
        port = Int(number)
        guard !host.isEmpty else { return nil }
    }

    /// Host and port.
    var authority: String { "\(host):\(port)" }

    /// The address of its root.
    var root: String { "\(scheme)://\(authority)/" }

    /// Byte by byte: to a resolver, letters that look alike are not.
    static func == (left: HTTPOrigin, right: HTTPOrigin) -> Bool {
        left.scheme == right.scheme && left.port == right.port && left.host.utf8.elementsEqual(right.host.utf8)
    }

    /// The target of a redirect (RFC 9110, section 10.2.2), resolved as RFC 3986, section 5.2 has it.
    static func resolve(_ location: String, against url: String) -> String? {
        guard location.unicodeScalars.allSatisfy({ $0.value > 32 && $0.value < 127 }) else { return nil }
        if HTTPOrigin(location) != nil { return location }
        guard let origin = HTTPOrigin(url), let separator = url.utf8.firstRange(of: "://".utf8) else { return nil }
        if location.hasPrefix("//") { return resolve("\(origin.scheme):\(location)", against: url) }
        // A scheme that is none of ours.
        guard !location.utf8.prefix(while: { !"/?#".utf8.contains($0) }).contains(UInt8(ascii: ":")) else { return nil }
        let rest = url.utf8[separator.upperBound...]
        let authority = rest.prefix { !"/?#".utf8.contains($0) }
        let old = rest[authority.endIndex...].prefix { !"?#".utf8.contains($0) }
        let path = location.utf8.prefix { !"?#".utf8.contains($0) }
        let query = location.utf8[path.endIndex...]
        let folder = old[..<(old.lastIndex(of: UInt8(ascii: "/")).map { old.index(after: $0) } ?? old.startIndex)]
        let merged =
            path.isEmpty
            ? Array(old)
            : path.first == UInt8(ascii: "/")
                ? Array(path) : (folder.isEmpty ? [UInt8(ascii: "/")] : Array(folder)) + Array(path)
        let whole = url.utf8[..<authority.endIndex].asText + withoutDots(merged) + query.asText
        return HTTPOrigin(whole) == nil ? nil : whole
    }

    /// RFC 3986, section 5.2.4.
    private static func withoutDots(_ path: [UInt8]) -> String {
        var kept: [String] = []
        let parts = path.asText.parts(at: "/").dropFirst()
        for (number, part) in parts.enumerated() {
            let isLast = number == parts.count - 1
            switch part {
            case ".": if isLast { kept.append("") }
            case "..":
                _ = kept.popLast()
                if isLast { kept.append("") }
            default: kept.append(String(part))
            }
        }
        return "/" + kept.joined(separator: "/")
    }

    /// An address that a server named, for a person: without a login, a question or a token in one.
    static func shown(_ url: String) -> String {
        let end = url.utf8.prefix { !"?#".utf8.contains($0) }
        guard let separator = end.firstRange(of: "://".utf8) else { return end.asText.printable() }
        let rest = end[separator.upperBound...]
        let authority = rest.prefix { $0 != UInt8(ascii: "/") }
        let host =
            authority.lastIndex(of: UInt8(ascii: "@")).map { authority[authority.index(after: $0)...] }
            ?? authority[...]
        let path = rest[authority.endIndex...].asText
        let suffix = ["/info/refs", "/git-upload-pack"].first { path.hasSuffix($0) } ?? ""
        return (end[..<separator.upperBound].asText + host.asText + path.dropLast(suffix.utf8.count)).printable()
    }
}
