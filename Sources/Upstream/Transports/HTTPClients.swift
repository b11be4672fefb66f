import Platform
import AsyncHTTPClient
import NIOCore
import NIOPosix
import Synchronization

/// A client for each way out: through this proxy or none, with our certificate or without. Which it is, each host decides.
final class HTTPClients: Sendable {
    private let options: UpstreamOptions
    private let idle: Int64
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let clients = Mutex<[Way: HTTPClient]>([:])

    /// There are few: a proxy for each scheme, or none.
    private struct Way: Hashable {
        let proxy: String?
        let isHome: Bool
    }

    /// - Parameter idle: the seconds after which an idle connection is closed.
    /// - Throws: `UpstreamError` when what the repository's own host needs cannot be used.
    init(_ options: UpstreamOptions, idle: Int64) throws(UpstreamError) {
        self.options = options
        self.idle = idle
        _ = try make(for: options.url.address)
    }

    deinit {
        let group = group
        let all = clients.withLock { Array($0.values) }
        // What the last of them leaves is the threads.
        guard !all.isEmpty else { return group.shutdownGracefully { _ in } }
        let left = Countdown(all.count) { group.shutdownGracefully { _ in } }
        for client in all { client.shutdown { _ in left.count() } }
    }

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
        let configuration = try HTTPClient.Configuration(for: options, proxy: proxy, isHome: isHome, idle: idle)
        let made = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
        let kept = clients.withLock { clients in
            if clients[way] == nil { clients[way] = made }
            return clients[way]!
        }
        if kept !== made { made.shutdown { _ in } }
        return kept
    }
}

/// Does something when so many have said that they are done.
private final class Countdown: Sendable {
    private let rest: Mutex<Int>
    private let end: @Sendable () -> Void

    init(_ count: Int, _ end: @escaping @Sendable () -> Void) {
        rest = Mutex(count)
        self.end = end
    }

    func count() {
        let isLast = rest.withLock { rest in
            rest -= 1
            return rest == 0
        }
        if isLast { end() }
    }
}
