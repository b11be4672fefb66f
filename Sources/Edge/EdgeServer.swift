import Glibc
import HTTPTypes
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
public import Pipeline
import Synchronization

/// What operators and git servers talk to over http. It runs beside the loop: nothing that a client does can stop or slow a
/// pass.
public final class EdgeServer: Sendable {
    private let address: ListenAddress
    private let router: Router
    private let logger: Logger
    private let opening = Opening()

    /// Seconds for a header to come, for a body to come, and for a connection to be asked again.
    static let patience: Int64 = 10
    /// A load balancer has a few, Prometheus one.
    static let mostConnections = 256

    /// Listens nowhere yet.
    public init(_ edge: EdgeSettings, settings: Settings, journal: Journal, doorbell: Doorbell, logger: Logger) {
        address = edge.address
        router = Router(edge, settings: settings, journal: journal, doorbell: doorbell, logger: logger)
        self.logger = logger
    }

    /// Returns once it listens.
    ///
    /// - Throws: `SyncError` when it cannot.
    public func listening() async throws {
        if let error = await opening.wait() { throw error }
    }

    /// Serves until a graceful shutdown.
    ///
    /// - Throws: `SyncError` when it cannot listen.
    public func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            try await server(on: group).run()
        } catch {
            let error = failure(error)
            opening.end(error)
            group.shutdownGracefully { _ in }
            throw error
        }
        group.shutdownGracefully { _ in }
    }

    private func server(on group: MultiThreadedEventLoopGroup) -> Server<HTTP1Channel> {
        let router = router
        let channel = HTTP1Channel(
            responder: { request, writer, _ in
                let reply = await router.reply(to: request)
                try await writer.write(response: reply.head, body: ResponseBody(byteBuffer: reply.body(for: request)))
                // What is left of a request that was not read to its end is nothing to wait for.
                if reply.closes { throw Unread() }
            },
            configuration: .init(
                idleTimeout: .seconds(Self.patience),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 16_384, maxHeaderListSize: 32_768, maxHeaderFieldCount: 100)))
        // What it says of itself is said here in this program's words.
        let silent = Logger(label: "http") { _ in SwiftLogNoOpLogHandler() }
        return Server(
            childChannelSetup: channel,
            configuration: .init(
                address: address.bind, serverName: nil, backlog: 1_024,
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections, logger: silent)),
            onServerRunning: { [logger, address, opening] channel in
                logger.info("listening", metadata: ["address": "\(address.bound(to: channel.localAddress))"])
                opening.end(nil)
            }, eventLoopGroup: group, logger: silent)
    }

    private func failure(_ error: any Error) -> SyncError {
        let cause = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
        return SyncError(
            stage: .configure, cause: "cannot listen on \(address): \(cause)",
            remedy: "give another SIDEKICK_LISTEN, or end what listens there", recovery: .fixConfiguration,
            exitCode: .unavailable)
    }

    private struct Unread: Error {}
}

extension ListenAddress {
    fileprivate var bind: BindAddress {
        switch self {
        case .tcp(let host, let port): .hostname(host.isEmpty ? "::" : host, port: port)
        case .unix(let path): .unixDomainSocket(path: path)
        }
    }

    /// With the port that was taken.
    fileprivate func bound(to address: SocketAddress?) -> ListenAddress {
        guard case .tcp(let host, _) = self, let port = address?.port else { return self }
        return .tcp(host: host, port: port)
    }
}

/// Whether it listens, for those who wait to know.
private final class Opening: Sendable {
    private struct State {
        var result: SyncError??
        var waiting: [CheckedContinuation<SyncError?, Never>] = []
    }

    private let state = Mutex(State())

    func end(_ error: SyncError?) {
        let waiting = state.withLock { state in
            if state.result == nil { state.result = .some(error) }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: error) }
    }

    func wait() async -> SyncError? {
        await withCheckedContinuation { continuation in
            let result = state.withLock { state in
                if state.result == nil { state.waiting.append(continuation) }
                return state.result
            }
            if let result { continuation.resume(returning: result) }
        }
    }
}
