import NIOCore

/// Reads pkt-lines from wherever bytes come.
struct PacketReader {
    private var decoder = PacketLineDecoder()
    private let source: () async throws -> ByteBuffer?

    /// - Parameter source: the next bytes; `nil` at the end.
    init(_ source: @escaping () async throws -> ByteBuffer?) { self.source = source }

    /// The next line.
    ///
    /// - Throws: `ProtocolError` for one that is malformed or not whole, and what the source throws.
    mutating func next() async throws -> PacketLine {
        while true {
            // What comes fast enough is never waited for.
            try Task.checkCancellation()
            if let packet = try decoder.next() { return packet }
            guard let bytes = try await source() else { throw ProtocolError.ended }
            decoder.append(bytes.readableBytesView)
        }
    }

    /// Reads what follows a whole answer over a connection that is to be used again: nothing.
    mutating func end() async throws {
        while decoder.isEmpty, let bytes = try await source() {
            if bytes.readableBytes > 0 {
                throw ProtocolError(expected: "nothing after the answer", found: bytes.readableBytesView)
            }
        }
        guard decoder.isEmpty else {
            throw ProtocolError(expected: "nothing after the answer", found: Array("more bytes".utf8))
        }
    }
}
