import NIOCore
import Platform

/// What is said to a proxy before a connection is to the origin: CONNECT (RFC 9110, section 9.3.6), or SOCKS 5 (RFC 1928, and RFC
/// 1929 for a login), which resolves the name itself.
struct ProxyHandshake {
    private enum State { case connect, method, login, request }

    private let name: String
    private let port: Int
    private let login: (user: String, password: Secret)?
    private var state: State
    private var received: [UInt8] = []
    /// What is sent first.
    let greeting: [UInt8]

    /// Bytes of an answer to CONNECT.
    private static let longest = 16_384

    enum Step: Equatable {
        case send([UInt8])
        case wait
        /// The proxy connected us. Bytes that came behind its answer are the origin's.
        case done([UInt8])
    }

    init(to origin: HTTPOrigin, through proxy: ProxyRules.Proxy) {
        name = origin.host.hasPrefix("[") ? String(origin.host.dropFirst().dropLast()) : origin.host
        (port, login) = (origin.port, proxy.login)
        switch proxy.kind {
        case .http:
            state = .connect
            let shown = login.map { "Proxy-Authorization: \(HTTPLogin.basic($0.user, $0.password.reveal()))\r\n" } ?? ""
            greeting = Array(
                "CONNECT \(origin.authority) HTTP/1.1\r\nHost: \(origin.authority)\r\n\(shown)\r\n".utf8)
        case .socks:
            state = .method
            greeting = login == nil ? [5, 1, 0] : [5, 2, 0, 2]
        }
    }

    /// Goes on from what came.
    ///
    /// - Throws: `HTTPFault.proxy`.
    mutating func take(_ bytes: some Collection<UInt8>) throws(HTTPFault) -> Step {
        received += bytes
        switch state {
        case .connect: return try connected()
        case .method:
            guard let answer = answer(of: 2) else { return .wait }
            guard answer[0] == 5 else { throw .proxy("it does not speak SOCKS 5") }
            if answer[1] == 0 { return request() }
            guard answer[1] == 2, let login else { throw .proxy("it asks for a login") }
            let (user, password) = (Array(login.user.utf8.prefix(255)), Array(login.password.reveal().utf8.prefix(255)))
            state = .login
            return .send([1, UInt8(user.count)] + user + [UInt8(password.count)] + password)
        case .login:
            guard let answer = answer(of: 2) else { return .wait }
            guard answer[1] == 0 else { throw .proxy("it refuses the login") }
            return request()
        case .request:
            // The address that it uses follows: of 4 bytes, 16, or as many as the first says.
            guard received.count >= 5 else { return .wait }
            guard received[1] == 0 else { throw .proxy(Self.reason(received[1])) }
            let size = [1: 4, 4: 16][received[3]] ?? 1 + Int(received[4])
            guard let _ = answer(of: 6 + size) else { return .wait }
            return .done(received)
        }
    }

    private mutating func answer(of size: Int) -> [UInt8]? {
        guard received.count >= size else { return nil }
        defer { received.removeFirst(size) }
        return Array(received.prefix(size))
    }

    private mutating func request() -> Step {
        state = .request
        let name = Array(name.utf8.prefix(255))
        let number = UInt16(truncatingIfNeeded: port)
        return .send([5, 1, 0, 3, UInt8(name.count)] + name + [UInt8(number >> 8), UInt8(number & 255)])
    }

    private mutating func connected() throws(HTTPFault) -> Step {
        guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) ?? received.firstRange(of: Array("\n\n".utf8))
        else {
            guard received.count <= Self.longest else { throw .proxy("its answer has no end") }
            return .wait
        }
        let line = received.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard line.starts(with: "HTTP/1.".utf8), words.count > 1, let status = Int(words[1].asText) else {
            throw .proxy("its answer is not HTTP")
        }
        switch status {
        case 200..<300: return .done(Array(received[end.upperBound...]))
        case 407: throw .proxy("it asks for a login")
        default: throw .proxy("status \(status)")
        }
    }

    /// RFC 1928, section 6.
    private static func reason(_ code: UInt8) -> String {
        switch code {
        case 2: "it does not allow the connection"
        case 3: "the network is unreachable from it"
        case 4: "the host is unreachable from it"
        case 5: "the host refuses its connection"
        default: "it cannot connect (\(code))"
        }
    }
}

/// Does the handshake on a connection, and leaves it.
final class ProxyHandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var handshake: ProxyHandshake
    private let promise: EventLoopPromise<Void>

    private init(_ handshake: ProxyHandshake, _ promise: EventLoopPromise<Void>) {
        (self.handshake, self.promise) = (handshake, promise)
    }

    /// - Throws: `HTTPFault`, what NIO throws.
    static func run(_ handshake: ProxyHandshake, on channel: any Channel, silence: Duration) async throws {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.eventLoop.execute {
            do {
                let handler = ProxyHandshakeHandler(handshake, promise)
                try channel.pipeline.syncOperations.addHandler(handler)
                channel.writeAndFlush(ByteBuffer(bytes: handshake.greeting)).cascadeFailure(to: promise)
            } catch {
                promise.fail(error)
            }
        }
        let alarm = channel.eventLoop.scheduleTask(in: TimeAmount(silence)) { promise.fail(HTTPFault.silent) }
        defer { alarm.cancel() }
        try await promise.futureResult.get()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            switch try handshake.take(unwrapInboundIn(data).readableBytesView) {
            case .wait: return
            case .send(let bytes):
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
            case .done:
                // The origin is silent until it is asked.
                context.pipeline.syncOperations.removeHandler(self, promise: promise)
            }
        } catch {
            promise.fail(error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(HTTPFault.closed)
        context.fireChannelInactive()
    }
}
