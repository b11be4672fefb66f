import NIOCore
import Platform

/// The ends of lines in answers over HTTP/1: a single LF is one (RFC 9112, section 2.2), which curl and git take and llhttp does
/// not, and a length that is told twice alike is one (RFC 9110, section 8.6). What is not understood here is passed on as it came.
struct LineEnds {
    private enum State {
        case head, trailers, chunkSize, chunkEnd
        case body(Int)
        case chunk(Int)
        /// To the end of the connection, and after anything that is not understood.
        case rest
    }

    private var state = State.head
    /// What has come of a line.
    private var line: [UInt8] = []
    private var status = 0
    private var length: [UInt8]?
    private var isChunked = false

    /// No line of a header is longer.
    private static let longest = 65_536

    /// Whether so many bytes that have come are all of a body, of which nothing needs to be looked at.
    mutating func pass(_ count: Int) -> Bool {
        switch state {
        case .rest: return true
        case .body(let rest) where count < rest:
            state = .body(rest - count)
            return true
        case .chunk(let rest) where count < rest:
            state = .chunk(rest - count)
            return true
        default: return false
        }
    }

    /// Takes what came, and gives what it means.
    mutating func take(_ bytes: ByteBufferView) -> [UInt8] {
        var (rest, out): (ByteBufferView, [UInt8]) = (bytes, [])
        out.reserveCapacity(bytes.count + 64)
        while !rest.isEmpty {
            switch state {
            case .rest:
                out += rest
                return out
            case .body(let count): pass(count, &rest, &out) { $0 > 0 ? .body($0) : .head }
            case .chunk(let count): pass(count, &rest, &out) { $0 > 0 ? .chunk($0) : .chunkEnd }
            case .head, .trailers, .chunkSize, .chunkEnd:
                guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
                    line += rest
                    if line.count > Self.longest { giveUp(&out) }
                    return out
                }
                line += rest[..<end]
                rest = rest[(end + 1)...]
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                guard line.count <= Self.longest else {
                    line.append(UInt8(ascii: "\n"))
                    giveUp(&out)
                    continue
                }
                if next() { out += line + [13, 10] }
                line = []
            }
        }
        return out
    }

    private mutating func pass(
        _ count: Int, _ rest: inout ByteBufferView, _ out: inout [UInt8], _ next: (Int) -> State
    ) {
        let piece = rest.prefix(count)
        out += piece
        rest = rest[piece.endIndex...]
        state = next(count - piece.count)
    }

    private mutating func giveUp(_ out: inout [UInt8]) {
        out += line
        (line, state) = ([], .rest)
    }

    /// Goes on from a whole line.
    ///
    /// - Returns: whether it says anything.
    private mutating func next() -> Bool {
        switch state {
        case .head: return header()
        case .trailers: if line.isEmpty { begin() }
        case .chunkEnd: state = line.isEmpty ? .chunkSize : .rest
        case .chunkSize:
            let digits = line.prefix { $0 != UInt8(ascii: ";") }.trimmingSpaces
            guard let size = Int(digits.asText, radix: 16), size >= 0, digits.first != UInt8(ascii: "+") else {
                state = .rest
                break
            }
            state = size > 0 ? .chunk(size) : .trailers
        case .body, .chunk, .rest: break
        }
        return true
    }

    private mutating func begin() { (state, status, length, isChunked) = (.head, 0, nil, false) }

    private mutating func header() -> Bool {
        if line.isEmpty {
            // Before an answer it means nothing.
            if status != 0 { endHeader() }
            return true
        }
        if status == 0 {
            let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
            status = words.count > 1 ? Int(words[1].asText) ?? -1 : -1
            if status < 0 { state = .rest }
            return true
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return true }
        let (name, value) = (line[..<colon], Array(line[(colon + 1)...].trimmingSpaces))
        if name.equalsIgnoringCase("content-length".utf8Bytes) {
            if length == value { return false }
            // Two that differ are llhttp's to refuse.
            if length == nil { length = value }
        } else if name.equalsIgnoringCase("transfer-encoding".utf8Bytes) {
            isChunked = value.lowercasedASCII.suffix(7).elementsEqual("chunked".utf8)
        }
        return true
    }

    private mutating func endHeader() {
        let (status, length, isChunked) = (status, length, isChunked)
        begin()
        // The answer to CONNECT and to an upgrade is another protocol.
        if status == 101 {
            state = .rest
        } else if (100..<200).contains(status) || status == 204 || status == 304 {
            return
        } else if isChunked {
            state = .chunkSize
        } else if let length {
            guard let count = Int(length.asText), count >= 0 else { return state = .rest }
            state = count > 0 ? .body(count) : .head
        } else {
            state = .rest
        }
    }
}

extension String {
    fileprivate var utf8Bytes: [UInt8] { Array(utf8) }
}

/// Stands before a client's reader of answers.
final class LineEndsHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private var ends = LineEnds()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        guard !ends.pass(buffer.readableBytes) else { return context.fireChannelRead(data) }
        let bytes = ends.take(buffer.readableBytesView)
        if !bytes.isEmpty { context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: bytes))) }
    }
}
