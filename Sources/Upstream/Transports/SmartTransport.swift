/// A way to a server that speaks protocol v2.
protocol SmartTransport: Sendable {
    /// Lends a server that takes commands, for the work of one pass.
    ///
    /// - Throws: `OldProtocol`, `UpstreamError`, `ProtocolError`, `CancellationError`, and what the work throws.
    func withServer<Value: Sendable>(_ work: (any SmartServer) async throws -> Value) async throws -> Value
}

/// A server that has said what it can do.
protocol SmartServer {
    var capabilities: ServerCapabilities { get }

    /// Sends one command and lends its answer, which is read to its end.
    ///
    /// - Parameter isText: whether the answer is worth compressing. A pack is compressed as it is.
    func run<Value>(
        _ command: [UInt8], answeredByText isText: Bool, _ read: (inout PacketReader) async throws -> Value
    ) async throws -> Value
}

extension SmartServer {
    /// Before anything is asked: git ends a connection over which it is asked for another format.
    func requireSHA1(_ options: UpstreamOptions) throws(UpstreamError) {
        guard capabilities.objectFormat == "sha1" else {
            throw .objectFormat(capabilities.objectFormat, address: options.url.address)
        }
    }
}

/// The server speaks version 0 or 1 of the protocol.
struct OldProtocol: Error {}

extension PacketReader {
    /// Reads what a server says at first.
    mutating func capabilities() async throws -> ServerCapabilities {
        var greeting = CapabilityReader()
        while true {
            switch try greeting.take(try await next()) {
            case nil: continue
            case .old?: throw OldProtocol()
            case .version2(let capabilities)?:
                guard capabilities.has("fetch") else {
                    throw ProtocolError.unexpected(expected: "a server that fetches", found: "one that does not")
                }
                return capabilities
            }
        }
    }
}
