import Platform

/// Logins by host, a line each (git-credential-store(1), STORAGE FORMAT): `https://user:password@host`, percent-encoded. A
/// line means what it means to git, but for three things: a host is the same in capitals, and with its standard port; a
/// carriage return may end a line; and where a line has a path, it is only for what is there and below.
struct CredentialStore {
    private struct Entry {
        let origin: HTTPOrigin
        let user: [UInt8]
        let password: [UInt8]
        /// Decoded, without slashes around it; empty for all of the host.
        let path: [UInt8]

        /// `nil` for what is no login.
        init?(_ line: ArraySlice<UInt8>) {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            guard let separator = line.firstRange(of: "://".utf8) else { return nil }
            let rest = line[separator.upperBound...]
            let end = rest.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
            // The first of each: a raw `@` in a user or a password is none of theirs to git.
            guard let at = rest[..<end].firstIndex(of: UInt8(ascii: "@")),
                let colon = rest[..<at].firstIndex(of: UInt8(ascii: ":"))
            else { return nil }
            let host = CredentialStore.decoded(rest[(at + 1)..<end])
            // Not in capitals.
            guard let origin = HTTPOrigin(scheme: line[..<separator.lowerBound].asText, authority: host) else {
                return nil
            }
            self.origin = origin
            user = CredentialStore.decoded(rest[..<colon])
            password = CredentialStore.decoded(rest[(colon + 1)..<at])
            path = CredentialStore.path(rest[end...])
            guard ![user, password, host, path].contains(where: { $0.contains(UInt8(ascii: "\n")) }) else { return nil }
        }
    }

    private let entries: [Entry]

    init(_ text: String) { entries = Array(text.utf8).split(separator: UInt8(ascii: "\n")).compactMap { Entry($0) } }

    /// The first that fits; one with a path is only for what is below it.
    func credential(for address: String, user: String?) -> CredentialSource.Pair? {
        guard let origin = HTTPOrigin(address), let separator = address.utf8.firstRange(of: "://".utf8) else {
            return nil
        }
        let path = Self.path(Array(address.utf8[separator.upperBound...].drop { !"/?#".utf8.contains($0) })[...])
        let entry = entries.first { entry in
            entry.origin == origin && (user.map { entry.user.elementsEqual($0.utf8) } ?? true)
                && (entry.path.isEmpty || path == entry.path || path.starts(with: entry.path + [UInt8(ascii: "/")]))
        }
        return entry.map { ($0.user.asText, $0.password.asText) }
    }

    /// As git decodes it: what stands before a colon it takes for a scheme, and leaves it as it is.
    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        let colon = text.firstIndex(of: UInt8(ascii: ":")) ?? text.startIndex
        return text[..<colon] + text[colon...].percentDecoded
    }

    private static func path(_ text: ArraySlice<UInt8>) -> [UInt8] {
        let path = decoded(text.drop { $0 == UInt8(ascii: "/") })
        return Array(path.reversed().drop { $0 == UInt8(ascii: "/") }.reversed())
    }
}
