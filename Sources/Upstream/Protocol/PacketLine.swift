/// One unit of git's wire format (gitprotocol-common(5), "pkt-line Format"; the special ones gitprotocol-v2(5)).
enum PacketLine: Sendable, Equatable {
    case data([UInt8])
    /// `0000`, the end of a message.
    case flush
    /// `0001`, between sections of one.
    case delimiter
    /// `0002`, the end of a response over a stateless connection.
    case responseEnd

    /// The most bytes that one may carry.
    static let maxBytes = 65_516

    /// A line as it is sent.
    static func encoded(_ text: String) -> [UInt8] { encoded(Array(text.utf8)) }

    /// A line as it is sent.
    static func encoded(_ payload: [UInt8]) -> [UInt8] {
        precondition(payload.count <= maxBytes)
        let digits = String(payload.count + 4, radix: 16)
        return Array(String(repeating: "0", count: 4 - digits.count).utf8) + Array(digits.utf8) + payload
    }

    static let encodedFlush = Array("0000".utf8)
    static let encodedDelimiter = Array("0001".utf8)
}

/// Cuts a stream of bytes, however they arrive, into pkt-lines. It holds at most what it was given and one incomplete line.
struct PacketLineDecoder: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0

    /// Whether there is nothing left of an incomplete line.
    var isEmpty: Bool { start == bytes.count }

    mutating func append(_ more: some Sequence<UInt8>) {
        bytes.removeSubrange(..<start)
        start = 0
        bytes.append(contentsOf: more)
    }

    /// The next line; `nil` when more bytes are needed.
    ///
    /// - Throws: `ProtocolError` for a length that none has. The stream cannot be read on then.
    mutating func next() throws(ProtocolError) -> PacketLine? {
        guard bytes.count - start >= 4 else { return nil }
        guard let length = Self.length(bytes[start..<start + 4]) else {
            throw ProtocolError(expected: "a length of four hexadecimal digits", found: bytes[start...])
        }
        switch length {
        case 0, 1, 2:
            start += 4
            return length == 0 ? .flush : length == 1 ? .delimiter : .responseEnd
        case 3, (Self.longest + 1)...:
            throw ProtocolError(expected: "a length of 4 to \(Self.longest)", found: bytes[start...])
        default:
            guard bytes.count - start >= length else { return nil }
            defer { start += length }
            return .data(Array(bytes[start + 4..<start + length]))
        }
    }

    private static let longest = PacketLine.maxBytes + 4

    private static func length(_ digits: ArraySlice<UInt8>) -> Int? {
        var length = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): length = length << 4 | Int(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): length = length << 4 | Int(digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): length = length << 4 | Int(digit - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return length
    }
}

extension PacketLine {
    /// The bytes of a line without the newline that may end it; `nil` for what is none.
    ///
    /// - Throws: `ProtocolError.refused` for a line by which a server ends everything (gitprotocol-pack(5), `ERR`).
    func line() throws(ProtocolError) -> ArraySlice<UInt8>? {
        guard case .data(let bytes) = self else { return nil }
        let line = bytes.last == 10 ? bytes.dropLast() : bytes[...]
        if line.starts(with: "ERR ".utf8) {
            throw .refused(String(decoding: line.dropFirst(4).prefix(1_000), as: UTF8.self))
        }
        return line
    }

    /// The same as text, for lines that hold no names.
    func text() throws(ProtocolError) -> Substring? {
        try line().map { Substring(String(decoding: $0, as: UTF8.self)) }
    }

    /// For errors.
    var summary: [UInt8] {
        switch self {
        case .data(let bytes): bytes
        case .flush: Array("0000 (flush)".utf8)
        case .delimiter: Array("0001 (delimiter)".utf8)
        case .responseEnd: Array("0002 (response end)".utf8)
        }
    }
}
