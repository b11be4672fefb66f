import Glibc
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import Platform

/// One connection to an origin, for one request at a time.
final class HTTPConnection: Sendable {
    private let channel: any Channel
    private let end: NIOLoopBound<HTTPExchangeHandler>

    private init(_ channel: any Channel, _ end: NIOLoopBound<HTTPExchangeHandler>) {
        (self.channel, self.end) = (channel, end)
    }

    /// Connects, by way of a proxy where there is one, and speaks TLS where there is a context for it.
    ///
    /// - Throws: `HTTPFault`, what NIO and TLS throw, `CancellationError`.
    static func open(
        to origin: HTTPOrigin, through proxy: ProxyRules.Proxy?, tls: TLSContext?, silence: Duration,
        on group: any EventLoopGroup
    ) async throws -> HTTPConnection {
        let (host, port) = proxy.map { ($0.host, $0.port) } ?? (origin.name, origin.port)
        let channel = try await ClientBootstrap(group: group).connectTimeout(TimeAmount(silence))
            .connect(host: host, port: port).get()
        return try await cancelling(channel) {
            if let proxy {
                let handshake = ProxyHandshake(to: origin, through: proxy)
                try await ProxyHandshakeHandler.run(handshake, on: channel, silence: silence)
            }
            let end = try await channel.eventLoop.submit {
                let end = HTTPExchangeHandler(silence: TimeAmount(silence))
                try channel.pipeline.syncOperations.addHandlers(handlers(origin, tls, end))
                return NIOLoopBound(end, eventLoop: channel.eventLoop)
            }.get()
            return HTTPConnection(channel, end)
        }
    }

    private static func handlers(
        _ origin: HTTPOrigin, _ tls: TLSContext?, _ end: HTTPExchangeHandler
    ) throws -> [any ChannelHandler] {
        var handlers: [any ChannelHandler] = []
        if let tls {
            handlers.append(TLSHandler(try TLSSession(tls, with: origin.name, isAddress: origin.isAddress)))
        }
        return handlers + [
            LineEndsHandler(), HTTPRequestEncoder(), ByteToMessageHandler(HTTPResponseDecoder()),
            NIOHTTPRequestHeadersValidator(),
            // References compress threefold: whoever sends a hundred times that sends something else.
            NIOHTTPResponseDecompressor(limit: .ratio(100)), end,
        ]
    }

    /// Runs work that ends when the channel does, and ends that when it is cancelled or fails.
    private static func cancelling<Value>(_ channel: any Channel, _ work: () async throws -> Value) async throws
        -> Value
    {
        do {
            return try await withTaskCancellationHandler(operation: work) { channel.close(promise: nil) }
        } catch {
            channel.close(promise: nil)
            throw Task.isCancelled ? CancellationError() : error
        }
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// - Returns: the head, and a number that names this exchange among those of the connection.
    /// - Parameter free: called, on the connection's own thread, when the answer has been taken to its end and another request may
    ///   follow.
    func send(
        _ head: HTTPRequestHead, _ body: [UInt8]?, free: @escaping @Sendable () -> Void
    ) async throws -> (HTTPResponseHead, Int) {
        try await Self.cancelling(channel) {
            let promise = channel.eventLoop.makePromise(of: (HTTPResponseHead, Int).self)
            channel.eventLoop.execute { [end] in end.value.begin(head, body, promise, free: free) }
            return try await promise.futureResult.get()
        }
    }

    /// The next piece of the answer's body; `nil` at its end.
    func next(of exchange: Int) async throws -> ByteBuffer? {
        try await Self.cancelling(channel) {
            let promise = channel.eventLoop.makePromise(of: ByteBuffer?.self)
            channel.eventLoop.execute { [end] in end.value.take(promise, of: exchange) }
            return try await promise.futureResult.get()
        }
    }

    /// Nobody reads the answer any further.
    func leave(_ exchange: Int) { channel.eventLoop.execute { [end] in end.value.leave(exchange) } }

    func close() { channel.close(promise: nil) }

    var isOpen: Bool { channel.isActive }

    /// Waits for the next request. On the connection's own thread.
    ///
    /// - Parameter ended: called when it waited for too long or the other side closed it.
    func rest(for time: Duration, ended: @escaping @Sendable () -> Void) {
        end.value.rest(for: TimeAmount(time), ended: ended)
    }
}

extension HTTPOrigin {
    /// The host as a resolver and a certificate have it: an IPv6 address without brackets.
    fileprivate var name: String { host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host }

    /// Whether it is one that needs no resolver: what is sent to it has no name of a server (RFC 6066, section 3).
    fileprivate var isAddress: Bool {
        var (four, six) = (in_addr(), in6_addr())
        return inet_pton(AF_INET, name, &four) == 1 || inet_pton(AF_INET6, name, &six) == 1
    }
}
