import NIOCore
import NIOPosix
import Platform
import Synchronization

/// A client for each way out: through this proxy or none, with our certificate or without. Which it is, each host decides.
final class HTTPClients: Sendable {
    private let options: UpstreamOptions
    private let idle: Duration
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let clients = Mutex<[Way: HTTPClient]>([:])

    /// There are few: a proxy for each scheme, or none.
    private struct Way: Hashable {
        let proxy: String?
        let isHome: Bool
    }

    /// - Parameter idle: after how long an idle connection is closed.
    /// - Throws: `UpstreamError` when what the repository's own host needs cannot be used.
    init(_ options: UpstreamOptions, idle: Duration) throws(UpstreamError) {
        self.options = options
        self.idle = idle
        _ = try make(for: options.url.address)
    }

    /// With the threads, every connection ends.
    deinit { group.shutdownGracefully { _ in } }

    /// The client for a URL.
    func client(for url: String) async throws -> HTTPClient {
        // The files that it needs for the repository's own host were read at the start.
        HTTPOrigin(url) == HTTPOrigin(options.url.address)
            ? try make(for: url) : try await DiskThread.perform { try self.make(for: url) }
    }

    private func make(for url: String) throws(UpstreamError) -> HTTPClient {
        let isHome = HTTPOrigin(url) == HTTPOrigin(options.url.address)
        let target = isHome ? options.url : (HTTPOrigin(url).flatMap { try? RemoteURL($0.root + "-") } ?? options.url)
        let proxy = try options.proxies.proxy(for: target)
        let way = Way(proxy: proxy.map { "\($0.kind) \($0.host):\($0.port)" }, isHome: isHome)
        if let known = clients.withLock({ $0[way] }) { return known }
        let made = HTTPClient(
            try HTTPClient.Configuration(for: options, proxy: proxy, isHome: isHome, idle: idle), on: group)
        return clients.withLock { clients in
            if clients[way] == nil { clients[way] = made }
            return clients[way]!
        }
    }
}
