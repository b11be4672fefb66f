/// Which proxy stands between us and a server: from the variables that everybody uses, their meaning as curl(1) has it.
public struct ProxyRules: Sendable, Equatable {
    private let proxies: [String: String]
    private let exceptions: [String]

    /// - Parameter environment: of it, `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`, in lower case or in upper.
    public init(_ environment: [String: String]) {
        func value(_ name: String) -> String? {
            [name, name.uppercased()].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        let all = value("all_proxy")
        proxies = ["https": value("https_proxy") ?? all, "http": value("http_proxy") ?? all].compactMapValues { $0 }
        exceptions = (value("no_proxy") ?? "").split { $0 == "," || $0 == " " }.map { $0.lowercased() }
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
        let (host, port) = url.endpoint(standard: url.transport == .https ? 443 : 80)
        guard !isExcepted(host.lowercased(), port) else { return nil }
        return try Self.parse(text)
    }

    /// A name in the list stands for itself and what ends in a dot and it; `*` for every host.
    private func isExcepted(_ host: String, _ port: Int) -> Bool {
        exceptions.contains { exception in
            var name = exception[...]
            if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]"),
                let number = Int(name[name.index(after: colon)...]),
                name[..<colon].lastIndex(of: ":") == nil || name.hasPrefix("[")
            {
                guard number == port else { return false }
                name = name[..<colon]
            }
            if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
            if name.hasPrefix("*.") { name = name.dropFirst(2) } else if name.hasPrefix(".") { name = name.dropFirst() }
            return name == "*" || host == name || (!name.isEmpty && host.hasSuffix("." + name))
        }
    }

    private static func parse(_ text: String) throws(UpstreamError) -> Proxy {
        let parts = text.firstRange(of: "://")
        let scheme = parts.map { text[..<$0.lowerBound].lowercased() } ?? "http"
        guard let kind = ["http": Proxy.Kind.http, "socks5": .socks, "socks5h": .socks, "socks": .socks][scheme] else {
            throw .proxyInvalid
        }
        let rest = (parts.map { text[$0.upperBound...] } ?? text[...]).prefix { $0 != "/" }
        guard let url = try? RemoteURL("http://\(rest)/x") else { throw .proxyInvalid }
        let (host, port) = url.endpoint(standard: kind == .http ? 80 : 1080)
        return Proxy(kind: kind, host: host, port: port, login: url.user.map { ($0, url.password ?? Secret("")) })
    }
}
