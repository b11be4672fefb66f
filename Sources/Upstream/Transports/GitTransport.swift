import Git
import NIOCore
import NIOPosix

/// git's protocol over git:// (gitprotocol-pack(5), Git Transport): a TCP connection for each pass.
final class GitTransport: SmartTransport {
    private let options: UpstreamOptions
    private let traffic: Traffic
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private static let defaultPort = 9418

    init(_ options: UpstreamOptions, counting traffic: Traffic) {
        self.options = options
        self.traffic = traffic
    }

    deinit { group.shutdownGracefully { _ in } }

    func withServer<Value: Sendable>(_ work: (any SmartServer) async throws -> Value) async throws -> Value {
        let silence = Silence(limit: options.timeout)
        do {
            let channel = try await mappingErrors { try await connect() }
            return try await withTaskCancellationHandler {
                try await silence.watching {
                    try await channel.executeThenClose { inbound, outbound in
                        try await self.talk(inbound, outbound, silence, work)
                    }
                } end: {
                    channel.channel.close(promise: nil)
                }
            } onCancel: {
                channel.channel.close(promise: nil)
            }
        } catch {
            try Task.checkCancellation()
            if silence.hasEnded {
                throw UpstreamError.stalled(host: options.url.authority, time: options.timeout)
            }
            throw error
        }
    }

    private typealias Channel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private func talk<Value: Sendable>(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ silence: Silence, _ work: (any SmartServer) async throws -> Value
    ) async throws -> Value {
        // One reader, one call at a time.
        nonisolated(unsafe) var bytes = inbound.makeAsyncIterator()
        try await mappingErrors { try await outbound.write(ByteBuffer(bytes: request)) }
        return try await StreamServer.lending(
            counting: traffic, keeping: options.ref.keeps,
            reading: { try await self.mappingErrors { try await silence.waiting { try await bytes.next() } } },
            writing: { command in
                try await self.mappingErrors {
                    try await silence.waiting { try await outbound.write(ByteBuffer(bytes: command)) }
                }
            }, work)
    }

    /// Failures of the network in this room's words; those of others pass.
    private func mappingErrors<Value>(_ work: () async throws -> Value) async throws -> Value {
        do { return try await work() } catch { throw upstreamError(error, at: HTTPPlace(options)) }
    }

    /// What is asked for first: a service, a path, the host that was meant, and the version.
    private var request: [UInt8] {
        let (host, path) = options.url.parts
        return PacketLine.encoded("git-upload-pack \(path)\0host=\(host)\0\0version=2\0")
    }

    /// Cancelled at once, although connecting, and looking up the name, cannot be.
    private func connect() async throws -> Channel {
        let (host, port) = options.url.endpoint(defaultPort: Self.defaultPort)
        let loop = group.next()
        let promise = loop.makePromise(of: Channel.self)
        let future: EventLoopFuture<Channel> = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(options.timeout))
            .connect(host: host, port: port)
            .flatMapThrowing { channel in
                try Channel(wrappingChannelSynchronously: channel)
            }
        future.whenComplete { result in
            switch result {
            case .success(let channel):
                promise.futureResult.whenFailure { _ in channel.channel.close(promise: nil) }
                promise.succeed(channel)
            case .failure(let error): promise.fail(error)
            }
        }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }
}
