import Platform
import Glibc
import HTTPTypes
import HummingbirdCore
public import Logging
import NIOCore
import NIOHTTPTypes
import NIOPosix
public import Pipeline
import ServiceLifecycle
import Synchronization

/// What operators and git servers talk to over http. It runs beside the loop: nothing that a client does can stop or slow a
/// pass.
public final class EdgeServer: Sendable {
    private let address: ListenAddress
    private let router: Router
    private let logger: Logger
    private let opening = Opening()
    private let visitors = Visitors(most: maxConnections)

    /// Seconds for a header to come, for a body to come, and for a connection to be asked again.
    static let patience: Int64 = 10
    /// A load balancer has a few, Prometheus one.
    static let maxConnections = 256

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

    /// Serves until a graceful shutdown, whatever happens.
    ///
    /// - Throws: `SyncError` when it cannot listen from the beginning.
    public func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { group.shutdownGracefully { _ in } }
        var binds = address.binds[...]
        while let bind = binds.first {
            do {
                try await server(at: bind, on: group).run()
                if Task.isShuttingDownGracefully || Task.isCancelled { return }
                logger.error("the http server ended; it listens again")
            } catch {
                guard opening.isOpen else {
                    binds.removeFirst()
                    guard binds.isEmpty || Self.isRefused(error) else { continue }
                    let error = failure(error)
                    opening.end(error)
                    throw error
                }
                logger.error("the http server cannot listen again", metadata: ["cause": "\(failure(error).cause)"])
            }
            guard (try? await Alarm.wait(.seconds(1))) != nil, !Task.isShuttingDownGracefully else { return }
        }
    }

    /// Whether the address is there, and somebody else's. A machine without IPv6 says in many ways that it is not: the container
    /// of a network without it even as a name that is unknown.
    private static func isRefused(_ error: any Error) -> Bool {
        (error as? IOError).map { [EADDRINUSE, EACCES, EPERM].contains($0.errnoCode) } ?? false
    }

    private func server(at bind: BindAddress, on group: MultiThreadedEventLoopGroup) -> Server<HTTP1Channel> {
        let router = router
        let visitors = visitors
        let channel = HTTP1Channel(
            responder: { request, writer, channel in
                let reply = await router.reply(to: request) {
                    // Whoever asks first is told to send its body (RFC 9110, section 10.1.1), and who is refused is not.
                    guard request.headers[.expect]?.lowercased() == "100-continue" else { return }
                    channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)), promise: nil)
                }
                // Whoever does not read it, or goes on to talk, has had his time.
                let end = channel.eventLoop.scheduleTask(in: .seconds(Self.patience)) { channel.close(promise: nil) }
                channel.closeFuture.whenComplete { _ in end.cancel() }
                try await writer.write(response: reply.head, body: ResponseBody(byteBuffer: reply.body(for: request)))
            },
            configuration: .init(
                additionalChannelHandlers: [OneQuestion(visitors)], idleTimeout: .seconds(Self.patience),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 16_384, maxHeaderListSize: 32_768, maxHeaderFieldCount: 100)))
        // What it says of itself is said here in this program's words.
        let silent = Logger(label: "http") { _ in SwiftLogNoOpLogHandler() }
        return Server(
            childChannelSetup: channel,
            configuration: .init(
                address: bind, serverName: nil, backlog: 1_024,
                availableConnectionsDelegate: MaximumAvailableConnections(2 * Self.maxConnections, logger: silent)),
            onServerRunning: { [logger, address, opening] channel in
                // Whatever the umask is: for us, and for the group of a web server beside us.
                if case .unix(let path) = address { chmod(path, 0o660) }
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
}

extension ListenAddress {
    /// What to try, the first that works. `::` takes IPv4 as well, and is not everywhere.
    fileprivate var binds: [BindAddress] {
        switch self {
        case .tcp("", let port): [.hostname("::", port: port), .hostname("0.0.0.0", port: port)]
        case .tcp(let host, let port): [.hostname(host, port: port)]
        case .unix(let path): [.unixDomainSocket(path: path)]
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

    var isOpen: Bool { state.withLock { if case .some(nil) = $0.result { true } else { false } } }

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
