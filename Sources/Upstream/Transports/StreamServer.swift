import NIOCore

/// A server at the other end of a stream that stays open for several commands: git:// and ssh.
final class StreamServer: SmartServer {
    let capabilities: ServerCapabilities
    private var reader: PacketReader
    private let traffic: Traffic
    private let write: ([UInt8]) async throws -> Void

    /// Reads what the server says at first.
    ///
    /// - Throws: `OldProtocol`, `ProtocolError`, and what reading throws.
    init(
        counting traffic: Traffic,
        reading source: @escaping () async throws -> ByteBuffer?,
        writing write: @escaping ([UInt8]) async throws -> Void
    ) async throws {
        var reader = PacketReader {
            let bytes = try await source()
            traffic.receive(bytes?.readableBytes ?? 0)
            return bytes
        }
        capabilities = try await reader.capabilities()
        self.reader = reader
        self.write = write
        self.traffic = traffic
    }

    func run<Value>(
        _ command: [UInt8], answeredByText isText: Bool, _ read: (inout PacketReader) async throws -> Value
    ) async throws -> Value {
        traffic.ask(command.count)
        try await write(command)
        return try await read(&reader)
    }

    /// Says that no more commands follow. A server that has gone away does not mind.
    func end() async { try? await write(PacketLine.encodedFlush) }
}
