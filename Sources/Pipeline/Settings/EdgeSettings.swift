import Platform
public import Upstream

/// What is served over http, and to whom.
public struct EdgeSettings: Sendable, Equatable {
    /// Where.
    public var address: ListenAddress
    /// SIDEKICK_WEBHOOK_SECRET; `nil` for no webhooks.
    public var secret: CredentialSource.Place?
    /// SIDEKICK_PEERS: where webhooks are passed on to.
    public var peers: [PeerAddress] = []

    /// The secrets that are good now: one a line, without the white space around it. A blank line is none, and neither is one
    /// that has nothing behind `whsec_`.
    ///
    /// - Throws: `UpstreamError` when the file cannot be read.
    public func secrets() throws -> [String] {
        try (secret?.read().reveal() ?? "").unicodeScalars.split { $0 == "\n" || $0 == "\r" }.map { line in
            String(
                String.UnicodeScalarView(
                    line.drop { $0.properties.isWhitespace }.reversed()
                        .drop { $0.properties.isWhitespace }.reversed()))
        }.filter { !$0.isEmpty && $0 != "whsec_" }
    }
}

/// A name or an address, and a port.
public struct PeerAddress: Sendable, Equatable {
    /// Without brackets.
    public let host: String
    /// Never 0.
    public let port: Int

    static let accepted = "HOST:PORT or [IPV6]:PORT, with commas between"

    /// Reads a list; `nil` when something in it is none.
    static func list(_ text: String) -> [PeerAddress]? {
        let all = text.parts(at: ",", leavingOutEmpty: true).map { part -> PeerAddress? in
            guard case .tcp(let host, let port)? = ListenAddress(part.filter { !$0.isWhitespace }), port > 0,
                !host.isEmpty, host.utf8.allSatisfy({ $0 > 32 && $0 < 127 && !"/?#@%".utf8.contains($0) })
            else { return nil }
            return PeerAddress(host: host, port: port)
        }
        return all.isEmpty || all.contains(nil) ? nil : all.compactMap { $0 }
    }
}

/// SIDEKICK_LISTEN.
public enum ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// A name or an address, and a port; 0 is any that is free.
    case tcp(host: String, port: Int)
    /// A socket in the file system.
    case unix(path: String)

    static let accepted = "HOST:PORT, :PORT for every address, [IPV6]:PORT, or unix:/PATH"

    /// Reads what a user gave; `nil` for what is none.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            // As long as the kernel takes, with its zero (unix(7)).
            guard path.hasPrefix("/"), path.utf8.count < 108 else { return nil }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        self = .tcp(host: host, port: port)
    }

    /// As it is given.
    public var description: String {
        switch self {
        case .tcp(let host, let port): "\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
