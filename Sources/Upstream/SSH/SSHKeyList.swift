import Platform

/// A file that names private keys, one a line: its absolute path, and before it the beginning of the addresses that it is for
/// where it is not for all. Empty lines and those that begin with `#` say nothing.
struct SSHKeyList {
    private struct Entry {
        let prefix: Prefix?
        let path: String
    }

    private var entries: [Entry] = []

    /// - Throws: `UpstreamError.fileUnusable` with the number of a line that names no key.
    init(_ text: String, in file: String) throws(UpstreamError) {
        for (number, line) in text.parts(at: "\n").enumerated() {
            let line = line.utf8.trimmingEnds
            guard let first = line.first, first != UInt8(ascii: "#") else { continue }
            let prefix = line.prefix { first != UInt8(ascii: "/") && !Self.isBlank($0) }
            let path = line[(prefix.isEmpty ? line.startIndex : prefix.endIndex)...].trimmingEnds
            guard path.first == UInt8(ascii: "/") else {
                throw .fileUnusable(path: file, reason: "line \(number + 1) names no absolute path of a key")
            }
            entries.append(Entry(prefix: prefix.isEmpty ? nil : Prefix(prefix.asText), path: path.asText))
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// The paths of the keys for an address: those of the longest beginning first, those for all last.
    func keys(for url: RemoteURL) -> [String] {
        let fitting = entries.enumerated().compactMap { number, entry -> (length: Int, number: Int, path: String)? in
            guard let prefix = entry.prefix else { return (-1, number, entry.path) }
            return prefix.fits(url) ? (prefix.length, number, entry.path) : nil
        }
        return fitting.sorted { ($1.length, $0.number) < ($0.length, $1.number) }.map(\.path)
    }

    /// The beginning of addresses, however they are written: `ssh://git@host:22/team/` and `git@host:team/` are one.
    private struct Prefix {
        private let user: [UInt8]?
        private let host: [UInt8]
        private let port: Int?
        private let path: [UInt8]

        var length: Int { host.count + path.count + (user?.count ?? 0) }

        init(_ text: String) {
            var rest = Array(text.utf8)[...]
            let separator = rest.firstRange(of: "://".utf8)
            if let separator { rest = rest[separator.upperBound...] }
            let end =
                rest.firstIndex { separator == nil ? ":/".utf8.contains($0) : $0 == UInt8(ascii: "/") } ?? rest.endIndex
            var authority = rest[..<end]
            path = Array(Self.relative(rest[end...].dropFirst()))
            let at = authority.lastIndex(of: UInt8(ascii: "@"))
            user = at.map { Array(authority[..<$0]) }
            if let at { authority = authority[(at + 1)...] }
            let colon = authority.lastIndex(of: UInt8(ascii: ":"))
            port = colon.flatMap { Int(authority[($0 + 1)...].asText) }
            host = (port == nil ? authority : authority[..<colon!]).filter { !"[]".utf8.contains($0) }.lowercasedASCII
        }

        func fits(_ url: RemoteURL) -> Bool {
            let (otherHost, otherPort) = url.endpoint(defaultPort: 22)
            guard host == otherHost.utf8.lowercasedASCII, port == nil || port == otherPort,
                user == nil || user == url.user.map({ Array($0.utf8) })
            else { return false }
            let other = Self.relative(Array(url.parts.path.utf8)[...])
            guard other.starts(with: path) else { return false }
            let rest = other.dropFirst(path.count)
            // `team` is no beginning of `teams/site`.
            return rest.isEmpty || path.isEmpty || path.last == UInt8(ascii: "/") || rest.first == UInt8(ascii: "/")
                || rest.elementsEqual(".git".utf8)
        }

        private static func relative(_ path: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
            path.drop { $0 == UInt8(ascii: "/") }
        }
    }
}

extension BidirectionalCollection<UInt8> {
    /// Without blanks and the CR of another system's ends of lines.
    fileprivate var trimmingEnds: SubSequence {
        let line = trimmingSpaces
        return line.last == UInt8(ascii: "\r") ? line.dropLast().trimmingSpaces : line
    }
}
