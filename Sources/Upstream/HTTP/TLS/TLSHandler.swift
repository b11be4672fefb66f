import NIOCore

/// Speaks TLS on a connection: what follows it in the pipeline writes and reads plain bytes.
///
/// A connection that ends without TLS' own end is an error: what was read may be cut off.
final class TLSHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case handshake
        case open
        case over
    }

    private let session: TLSSession
    private var state = State.handshake
    /// What was written before the handshake was done.
    private var early: [(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)] = []

    init(_ session: TLSSession) { self.session = session }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { goOn(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        goOn(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state != .over else { return }
        session.receive(unwrapInboundIn(data))
        goOn(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if state != .over { end(context, with: HTTPFault.closed) }
        context.fireChannelInactive()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch state {
        case .handshake: early.append((unwrapOutboundIn(data), promise))
        case .open: send(context, unwrapOutboundIn(data), promise)
        case .over: promise?.fail(HTTPFault.closed)
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if state == .open {
            session.end()
            flush(context)
        }
        state = .over
        fail(HTTPFault.closed)
        context.close(mode: mode, promise: promise)
    }

    /// Does what can be done with what came.
    private func goOn(_ context: ChannelHandlerContext) {
        do {
            if case .handshake = state {
                let isDone = try session.handshake()
                flush(context)
                guard isDone else { return }
                state = .open
                let waiting = early
                early = []
                for (bytes, promise) in waiting { send(context, bytes, promise) }
                context.flush()
            }
            var plain = context.channel.allocator.buffer(capacity: 0)
            // What came before a fault is handed on first.
            let reading = Result { () throws(TLSFault) in try session.read(into: &plain) }
            flush(context)
            if plain.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(plain)) }
            if case .ended = try reading.get(), state == .open {
                state = .over
                context.close(promise: nil)
            }
        } catch {
            // The other side is told why.
            flush(context)
            end(context, with: error)
            context.close(promise: nil)
        }
    }

    private func send(_ context: ChannelHandlerContext, _ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        do {
            try session.write(bytes)
            if let encrypted = session.outgoing(context.channel.allocator) {
                context.write(wrapOutboundOut(encrypted), promise: promise)
            } else {
                promise?.succeed()
            }
        } catch {
            promise?.fail(error)
        }
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard let bytes = session.outgoing(context.channel.allocator) else { return }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    private func end(_ context: ChannelHandlerContext, with error: any Error) {
        guard state != .over else { return }
        state = .over
        fail(error)
        context.fireErrorCaught(error)
    }

    private func fail(_ error: any Error) {
        let waiting = early
        early = []
        for (_, promise) in waiting { promise?.fail(error) }
    }
}
