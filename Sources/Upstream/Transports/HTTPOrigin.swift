/// What a credential is bound to (RFC 6454): scheme, host and port.
struct HTTPOrigin: Equatable {
    let scheme: String
    /// In lower case; an IPv6 address in brackets.
    let host: String
    private let port: Int

    /// `nil` for what is not the address of something over http(s).
    init?(_ url: String) {
        guard let separator = url.firstRange(of: "://") else { return nil }
        scheme = url[..<separator.lowerBound].lowercased()
        guard let standard = ["http": 80, "https": 443][scheme] else { return nil }
        let authority = url[separator.upperBound...].prefix { !"/?#".contains($0) }
        guard !authority.contains("@"), !authority.isEmpty else { return nil }
        let end = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[end...].firstIndex(of: ":") {
            guard let number = UInt16(authority[authority.index(after: colon)...]) else { return nil }
            (host, port) = (authority[..<colon].lowercased(), Int(number))
        } else {
            (host, port) = (authority.lowercased(), standard)
        }
        guard !host.isEmpty else { return nil }
    }

    /// The target of a redirect (RFC 9110, section 10.2.2): absolute, or below the same host.
    static func resolve(_ location: String, against url: String) -> String? {
        guard location.unicodeScalars.allSatisfy({ $0.value > 32 && $0.value < 127 }) else { return nil }
        if location.hasPrefix("//") {
            guard let origin = HTTPOrigin(url) else { return nil }
            return resolve("\(origin.scheme):\(location)", against: url)
        }
        if location.hasPrefix("/") {
            guard let separator = url.firstRange(of: "://") else { return nil }
            return url[..<separator.upperBound] + url[separator.upperBound...].prefix { $0 != "/" } + location
        }
        return HTTPOrigin(location) == nil ? nil : location
    }
}
