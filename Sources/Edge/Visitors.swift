import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The connections that are open, so that a crowd shuts nobody out: where there are too many, the oldest that has asked for
/// nothing yet makes room, else the oldest of all.
final class Visitors: Sendable {
    private struct State {
        var number = 0
        /// In the order in which they came.
        var open: [(number: Int, channel: any Channel, hasAsked: Bool)] = []
    }

    private let most: Int
    private let state = Mutex(State())

    init(most: Int) { self.most = most }

    /// - Returns: its number.
    func enter(_ channel: any Channel) -> Int {
        let (number, surplus) = state.withLock { state -> (Int, (any Channel)?) in
            state.number += 1
            var surplus: (any Channel)?
            if state.open.count >= most {
                let place = state.open.firstIndex { !$0.hasAsked } ?? 0
                surplus = state.open.remove(at: place).channel
            }
            state.open.append((state.number, channel, false))
            return (state.number, surplus)
        }
        surplus?.close(promise: nil)
        return number
    }

    /// It has sent a whole header.
    func asked(_ number: Int) {
        state.withLock { state in
            if let place = state.open.firstIndex(where: { $0.number == number }) { state.open[place].hasAsked = true }
        }
    }

    func leave(_ number: Int) { state.withLock { $0.open.removeAll { $0.number == number } } }
}

/// One question for each connection: what follows the first is not read, whatever the client says of it.
final class OneQuestion: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private let visitors: Visitors
    private var number: Int?
    private enum Progress { case waiting, reading, over }
    private var progress = Progress.waiting

    init(_ visitors: Visitors) { self.visitors = visitors }

    func handlerAdded(context: ChannelHandlerContext) { number = visitors.enter(context.channel) }

    func channelInactive(context: ChannelHandlerContext) {
        if let number { visitors.leave(number) }
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), progress) {
        case (.head(var head), .waiting):
            progress = .reading
            if let number { visitors.asked(number) }
            head.headerFields[.connection] = "close"
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case (.body, .reading): context.fireChannelRead(data)
        case (.end, .reading):
            progress = .over
            context.fireChannelRead(data)
        default: break
        }
    }
}
