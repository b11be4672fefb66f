import NIOCore
import NIOHTTP1
import NIOPosix
import Platform
import Synchronization

/// Sends requests over HTTP/1.1 and keeps what connections they leave for the next (RFC 9112). It follows no redirect.
final class HTTPClient: Sendable {
    /// What all its connections have in common.
    struct Configuration: Sendable {
        var tls: TLSContext
        var proxy: ProxyRules.Proxy?
        /// A connection, a handshake or an answer that does not go on for so long is given up.
        var silence: Duration
        /// A connection that nobody uses is closed after so long.
        var idle: Duration
    }

    private let group: any EventLoopGroup
    private let configuration: Configuration
    private let state = Mutex(State())

    private struct State {
        /// By the roots of their origins.
        var idle: [String: [HTTPConnection]] = [:]
        var isShut = false
    }

    init(_ configuration: Configuration, on group: any EventLoopGroup) {
        (self.configuration, self.group) = (configuration, group)
    }

    deinit { shutdown() }

    /// Closes what nobody uses; what is used is closed when it is free.
    func shutdown() {
        let idle = state.withLock { state in
            defer { state.idle = [:] }
            state.isShut = true
            return state.idle.values.flatMap { $0 }
        }
        for connection in idle { connection.close() }
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// - Throws: `HTTPFault`, what NIO and TLS throw, `CancellationError`.
    func execute(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let origin = HTTPOrigin(request.url) else { throw HTTPFault.unexpected("no address of http or https") }
        let head = request.head(for: origin)
        let connection =
            if let idle = takeIdle(origin) { idle } else { try await open(origin) }
        let (answer, exchange) = try await connection.send(head, request.body) { [weak self] in
            // With the client gone nobody would ask for it again.
            if let self { free(connection, origin) } else { connection.close() }
        }
        return HTTPResponse(status: answer.status, headers: answer.headers, body: HTTPBody(connection, exchange))
    }

    private func open(_ origin: HTTPOrigin) async throws -> HTTPConnection {
        let context = origin.scheme == "https" ? configuration.tls : nil
        try await context?.loadAuthorities()
        return try await HTTPConnection.open(
            to: origin, through: configuration.proxy, tls: context, silence: configuration.silence, on: group)
    }

    private func takeIdle(_ origin: HTTPOrigin) -> HTTPConnection? {
        state.withLock { state in
            while let last = state.idle[origin.root]?.popLast() {
                if last.isOpen { return last }
            }
            return nil
        }
    }

    /// On the connection's own thread.
    private func free(_ connection: HTTPConnection, _ origin: HTTPOrigin) {
        connection.rest(for: configuration.idle) { [weak self] in
            self?.state.withLock { state in state.idle[origin.root]?.removeAll { $0 === connection } }
        }
        let isKept = state.withLock { state in
            guard !state.isShut else { return false }
            state.idle[origin.root, default: []].append(connection)
            return true
        }
        if !isKept { connection.close() }
    }
}
