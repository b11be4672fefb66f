import AsyncHTTPClient
import Git
import NIOCore
import NIOHTTP1
import NIOPosix

/// Sends something to a server that is no repository, through the same proxies and trusting the same authorities.
public struct HTTPSender: Sendable {
    private var options: UpstreamOptions
    private let timeout: Double

    /// - Parameters:
    ///   - options: how the repository is reached.
    ///   - timeout: the longest that one request may take, in seconds.
    public init(like options: UpstreamOptions, timeout: Double) {
        self.options = options
        // Who we are to the repository is nobody else's business.
        (self.options.tls.certificate, self.options.tls.key) = (nil, nil)
        self.timeout = timeout
    }

    /// What was answered.
    public struct Answer: Sendable {
        /// The status.
        public let status: Int
        /// How many seconds the server asked to be left alone.
        public let retryAfter: Double?
    }

    /// One POST over a connection of its own. No redirect is followed.
    ///
    /// - Throws: `UpstreamError`, which names no more of the address than its host, `CancellationError`.
    public func post(_ body: [UInt8], to url: String, headers: [(name: String, value: String)]) async throws -> Answer {
        var options = options
        options.url = try Self.origin(url)
        options.timeout = timeout
        let client = HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
            configuration: try .init(for: options, idle: 1))
        defer { client.shutdown { _ in } }
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "User-Agent", value: options.agent)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(body)
        do {
            let deadline = NIODeadline.now() + .nanoseconds(Int64(timeout * 1e9))
            let response = try await client.execute(request, deadline: deadline)
            return Answer(
                status: Int(response.status.code),
                retryAfter: response.headers.first(name: "Retry-After").flatMap { RetryAfter.seconds($0) })
        } catch {
            throw failure(error, options)
        }
    }

    /// Whether something is an address that can be sent to: of http or https, in ASCII, without a login in it.
    public static func accepts(_ url: String) -> Bool { (try? origin(url)) != nil }

    private static func origin(_ url: String) throws(UpstreamError) -> RemoteURL {
        guard url.unicodeScalars.allSatisfy({ $0.value > 32 && $0.value < 127 }), HTTPOrigin(url) != nil,
            let separator = url.firstRange(of: "://"),
            let origin = try? RemoteURL(
                url[..<separator.upperBound] + url[separator.upperBound...].prefix { !"/?#".contains($0) } + "/-")
        else { throw .serverFailed(address: "the receiver", reason: "its address is no http or https URL") }
        return origin
    }
}
