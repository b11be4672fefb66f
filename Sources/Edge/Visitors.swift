import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The connections that are open, so that a crowd shuts nobody out: where there are too many, the oldest that has asked for
/// nothing yet makes room, else the oldest of all. Each has a moment before: a crowd that asks at once is answered whole.
final class Visitors: Sendable {
    private struct Visitor {
        let number: Int
        let channel: any Channel
        let came: NIODeadline
        var hasAsked = false
        /// It is told to go when its moment is over.
        var isDoomed = false
    }

    private struct State {
        var number = 0
        /// In the order in which they came.
        var open: [Visitor] = []
    }

    private let most: Int
    private let state = Mutex(State())

    /// How long one may take to ask, and to be answered, whoever waits.
    private static let moments = (toAsk: TimeAmount.seconds(1), toBeAnswered: TimeAmount.seconds(3))

    init(most: Int) { self.most = most }

    /// - Returns: its number.
    func enter(_ channel: any Channel) -> Int {
        let (number, surplus) = state.withLock { state -> (Int, Visitor?) in
            state.number += 1
            var surplus: Visitor?
            if state.open.count >= most {
                let place =
                    state.open.firstIndex { !$0.hasAsked && !$0.isDoomed } ?? state.open.firstIndex { !$0.isDoomed }
                if let place {
                    state.open[place].isDoomed = true
                    surplus = state.open[place]
                }
            }
            state.open.append(Visitor(number: state.number, channel: channel, came: .now()))
            return (state.number, surplus)
        }
        if let surplus { dismiss(surplus) }
        return number
    }

    private func dismiss(_ visitor: Visitor) {
        let loop = visitor.channel.eventLoop
        loop.scheduleTask(deadline: visitor.came + Self.moments.toAsk) { [weak self] in
            guard let self, isOpen(visitor.number, withoutQuestion: false) else { return }
            guard !isOpen(visitor.number, withoutQuestion: true) else { return visitor.channel.close(promise: nil) }
            loop.scheduleTask(deadline: visitor.came + Self.moments.toBeAnswered) {
                visitor.channel.close(promise: nil)
            }
        }
    }

    private func isOpen(_ number: Int, withoutQuestion: Bool) -> Bool {
        state.withLock { state in
            state.open.contains { $0.number == number && (!withoutQuestion || !$0.hasAsked) }
        }
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
