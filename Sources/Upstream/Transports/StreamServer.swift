import Git
import NIOCore

/// A server at the other end of a stream that stays open for several commands: git:// and ssh.
final class StreamServer: CommandServer {
    let capabilities: ServerCapabilities
    private var reader: PacketReader
    private let traffic: Traffic
    private let write: ([UInt8]) async throws -> Void

    private init(
        _ capabilities: ServerCapabilities, _ reader: PacketReader, counting traffic: Traffic,
        writing write: @escaping ([UInt8]) async throws -> Void
    ) {
        (self.capabilities, self.reader, self.traffic, self.write) = (capabilities, reader, traffic, write)
    }

    /// Reads what the server says at first, lends it for some work, and says that nothing more follows.
    ///
    /// - Parameter keeps: which references of a server of the old protocol are wanted; `nil` when it will not do itself.
    /// - Throws: `ProtocolV0` when it will not, `ProtocolError`, and what reading and the work throw.
    static func lending<Value>(
        counting traffic: Traffic, keeping keeps: (@Sendable (ReferenceName) -> Bool)?,
        reading source: @escaping () async throws -> ByteBuffer?,
        writing write: @escaping ([UInt8]) async throws -> Void, _ work: (any SmartServer) async throws -> Value
    ) async throws -> Value {
        var reader = PacketReader {
            let bytes = try await source()
            traffic.receive(bytes?.readableBytes ?? 0)
            return bytes
        }
        switch try await reader.greeting(keeping: keeps) {
        case .version2(let capabilities):
            let server = StreamServer(capabilities, reader, counting: traffic, writing: write)
            let value = try await work(server)
            // A server that has gone away does not mind.
            try? await write(PacketLine.encodedFlush)
            return value
        case .v0(let advertisement):
            traffic.ask(0)
            let server = V0Server(advertisement) { request, read in
                traffic.ask(request.count)
                try await write(request)
                try await read(&reader)
            }
            let value = try await work(server)
            // A server that was asked for nothing waits for what is wanted.
            if !server.isAsked { try? await write(PacketLine.encodedFlush) }
            return value
        }
    }

    func run<Value>(
        _ command: [UInt8], answeredByText isText: Bool, _ read: (inout PacketReader) async throws -> Value
    ) async throws -> Value {
        traffic.ask(command.count)
        try await write(command)
        return try await read(&reader)
    }
}
