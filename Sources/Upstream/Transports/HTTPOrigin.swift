/// What a credential is bound to (RFC 6454): scheme, host and port.
struct HTTPOrigin: Equatable {
    let scheme: String
    /// In lower case; an IPv6 address in brackets.
    let host: String
    private let port: Int

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
        guard let standard = ["http": 80, "https": 443][scheme] else { return nil }
        guard !authority.contains(where: { "/?#@".utf8.contains($0) }) else { return nil }
        let end = authority.lastIndex(of: UInt8(ascii: "]")) ?? authority.startIndex
        let colon = authority[end...].firstIndex(of: UInt8(ascii: ":"))
        let digits = authority[(colon ?? authority.endIndex)...].dropFirst()
        guard digits.allSatisfy(\.isDigit), let number = digits.isEmpty ? UInt16(standard) : UInt16(digits.asText)
        else {
            return nil
        }
        self.scheme = scheme
        host = authority[..<(colon ?? authority.endIndex)].lowercasedASCII.asText
        port = Int(number)
        guard !host.isEmpty else { return nil }
    }

    /// Byte by byte: to a resolver, letters that look alike are not.
    static func == (left: HTTPOrigin, right: HTTPOrigin) -> Bool {
        left.scheme == right.scheme && left.port == right.port && left.host.utf8.elementsEqual(right.host.utf8)
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
