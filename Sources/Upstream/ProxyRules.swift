import Platform

/// Which proxy stands between us and a server: from the variables that everybody uses, their meaning as curl(1) has it.
public struct ProxyRules: Sendable, Equatable {
    private let proxies: [String: String]
    private let exceptions: [ProxyException]

    /// - Parameter environment: of it, `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`, in lower case or in upper.
    public init(_ environment: [String: String]) {
        func value(_ name: String) -> String? {
            [name, name.uppercased()].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        let all = value("all_proxy")
        proxies = ["https": value("https_proxy") ?? all, "http": value("http_proxy") ?? all].compactMapValues { $0 }
        exceptions = ProxyException.list(value("no_proxy") ?? "")
    }

    /// A proxy, its login kept apart.
    struct Proxy: Equatable {
        enum Kind: Equatable { case http, socks }
        var kind: Kind
        var host: String
        var port: Int
        var login: (user: String, password: Secret)?

        static func == (left: Proxy, right: Proxy) -> Bool {
            (left.kind, left.host, left.port) == (right.kind, right.host, right.port)
                && left.login?.user == right.login?.user && left.login?.password == right.login?.password
        }
    }

    /// The proxy for a server; `nil` for none.
    ///
    /// - Throws: `UpstreamError.proxyInvalid` for an address that names none.
    func proxy(for url: RemoteURL) throws(UpstreamError) -> Proxy? {
        guard let scheme = [.https: "https", .http: "http"][url.transport], let text = proxies[scheme] else {
            return nil
        }
        let (host, port) = url.endpoint(defaultPort: url.transport == .https ? 443 : 80)
        let place = ProxyException.Host(host)
        guard !exceptions.contains(where: { $0.covers(place, port) }) else { return nil }
        return try Self.parse(text)
    }

    private static func parse(_ text: String) throws(UpstreamError) -> Proxy {
        let separator = text.utf8.firstRange(of: "://".utf8)
        let scheme = separator.map { text.utf8[..<$0.lowerBound].lowercasedASCII.asText } ?? "http"
        guard let kind = ["http": Proxy.Kind.http, "socks5": .socks, "socks5h": .socks, "socks": .socks][scheme] else {
            throw .proxyInvalid
        }
        let rest = text.utf8[(separator?.upperBound ?? text.startIndex)...].prefix { $0 != UInt8(ascii: "/") }
        guard let url = try? RemoteURL("http://\(rest.asText)/x") else { throw .proxyInvalid }
        let (host, port) = url.endpoint(defaultPort: kind == .http ? 80 : 1080)
        return Proxy(kind: kind, host: host, port: port, login: url.user.map { ($0, url.password ?? Secret("")) })
    }
}
