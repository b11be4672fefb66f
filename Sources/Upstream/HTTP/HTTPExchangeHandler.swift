import NIOCore
import NIOHTTP1

/// The end of a connection's pipeline: one request, then its answer as fast as it is taken, then the next request.
final class HTTPExchangeHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPClientRequestPart

    private enum State {
        case idle
        case waiting(EventLoopPromise<(HTTPResponseHead, Int)>)
        case body
        case over
    }

    private let silence: TimeAmount
    private var state = State.idle
    /// Why it is over.
    private var failure: (any Error)?
    /// Which request it is: whoever lets go of an answer late means an earlier one.
    private var exchange = 0
    private var context: ChannelHandlerContext?
    /// What came and was not taken.
    private var pieces = CircularBuffer<ByteBuffer>()
    private var size = 0
    /// The whole answer came.
    private var isWhole = false
    /// Another request may follow it.
    private var isReusable = false
    private var taker: EventLoopPromise<ByteBuffer?>?
    private var free: (() -> Void)?
    private var ended: (() -> Void)?
    /// A read was asked for while there was enough to take.
    private var holdsRead = false
    private var alarm: Scheduled<Void>?
    private var lastSign = NIODeadline.now()

    /// Bytes: what waits to be taken is bounded by this and one read.
    private static let enough = 262_144

    init(silence: TimeAmount) { self.silence = silence }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(HTTPFault.closed)
        self.context = nil
    }

    // MARK: what a request asks for

    func begin(
        _ head: HTTPRequestHead, _ body: [UInt8]?, _ promise: EventLoopPromise<(HTTPResponseHead, Int)>,
        free: @escaping () -> Void
    ) {
        if let failure { return promise.fail(failure) }
        guard case .idle = state, let context else { return promise.fail(HTTPFault.closed) }
        alarm?.cancel()
        ended = nil
        self.free = free
        exchange += 1
        (state, isWhole, isReusable, lastSign) = (.waiting(promise), false, head.isKeepAlive, .now())
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let body { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil) }
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenFailure { self.fail($0) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
        watch(context)
    }

    func take(_ promise: EventLoopPromise<ByteBuffer?>, of exchange: Int) {
        // That one has been taken to its end.
        guard exchange == self.exchange else { return promise.succeed(nil) }
        if var piece = pieces.popFirst() {
            // One hop for all that is there.
            while var more = pieces.popFirst() { piece.writeBuffer(&more) }
            size = 0
            promise.succeed(piece)
            return readOn()
        }
        if isWhole {
            promise.succeed(nil)
            return finish()
        }
        if let failure { return promise.fail(failure) }
        guard case .body = state else { return promise.succeed(nil) }
        taker = promise
    }

    /// Nobody takes the rest. What is all here already leaves the connection as it is.
    func leave(_ exchange: Int) {
        guard exchange == self.exchange, case .body = state else { return }
        pieces.removeAll()
        size = 0
        if isWhole { finish() } else { context?.close(promise: nil) }
    }

    func rest(for time: TimeAmount, ended: @escaping () -> Void) {
        guard case .idle = state, let context else { return ended() }
        self.ended = ended
        alarm = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.ended?()
            self.context?.close(promise: nil)
        }
    }

    private func finish() {
        guard case .body = state else { return }
        alarm?.cancel()
        let free = free
        (self.free, state) = (nil, .idle)
        if isReusable, let free { free() } else { context?.close(promise: nil) }
    }

    private func fail(_ error: any Error) {
        alarm?.cancel()
        ended?()
        (ended, free) = (nil, nil)
        switch state {
        case .over: return
        case .waiting(let promise): promise.fail(error)
        case .idle, .body: break
        }
        (state, failure) = (.over, error)
        taker?.fail(error)
        taker = nil
    }

    /// Gives up on a server that is silent for too long, while it is its turn.
    private func watch(_ context: ChannelHandlerContext) {
        alarm = context.eventLoop.assumeIsolated().scheduleTask(deadline: lastSign + silence) {
            guard let context = self.context else { return }
            // Nobody takes what it sent, or all of it is here.
            if self.holdsRead || self.isWhole { self.lastSign = .now() }
            guard self.lastSign + self.silence <= .now() else { return self.watch(context) }
            self.fail(HTTPFault.silent)
            context.close(promise: nil)
        }
    }

    // MARK: what comes

    func read(context: ChannelHandlerContext) {
        if size < Self.enough { context.read() } else { holdsRead = true }
    }

    private func readOn() {
        guard holdsRead, size < Self.enough else { return }
        (holdsRead, lastSign) = (false, .now())
        context?.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastSign = .now()
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .waiting(let promise)):
            state = .body
            isReusable = isReusable && head.isKeepAlive
            promise.succeed((head, exchange))
        case (.body(let piece), .body) where !isWhole:
            if let taker {
                self.taker = nil
                taker.succeed(piece)
            } else {
                pieces.append(piece)
                size += piece.readableBytes
            }
        case (.end, .body) where !isWhole:
            isWhole = true
            if let taker {
                self.taker = nil
                taker.succeed(nil)
                finish()
            }
        default:
            fail(HTTPFault.unexpected("something that was not asked for"))
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What follows a whole answer is no part of it.
        if isWhole, case .body = state { isReusable = false } else { fail(error) }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isWhole, case .body = state { isReusable = false } else { fail(HTTPFault.closed) }
        context.fireChannelInactive()
    }
}
