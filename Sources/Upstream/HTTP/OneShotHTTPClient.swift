import Git
import NIOCore
import NIOHTTP1
import NIOPosix
import Platform

/// Sends something to a server that is no repository, through the same proxies and trusting the same authorities.
public struct OneShotHTTPClient: Sendable {
    private var options: UpstreamOptions
    private let timeout: Duration

    /// - Parameters:
    ///   - options: how the repository is reached.
    ///   - timeout: the longest that one request may take.
    public init(like options: UpstreamOptions, timeout: Duration) {
        self.options = options
        self.timeout = timeout
    }

    /// What was answered.
    public struct Answer: Sendable {
        /// The status.
        public let status: Int
        /// How long the server asked to be left alone.
        public let retryAfter: Duration?
        /// The time at the server, in seconds since 1970, where it says it (RFC 9110, section 6.6.1).
        public let date: Double?
        /// What a server that refuses says for itself.
        let words: String?
        let body: [UInt8]
    }

    /// What is read of an answer's body at most, in bytes: what is longer is no answer to what is sent here.
    private static let maxBytes = 1 << 16

    /// One GET over a connection of its own. No redirect is followed, and no body read.
    ///
    /// - Throws: `UpstreamError`, which names no more of the address than its host, `CancellationError`.
    public func get(_ url: String) async throws -> Answer {
        try await send(.GET, nil, to: url, headers: [], readsBody: false)
    }

    /// One POST over a connection of its own. No redirect is followed.
    ///
    /// - Parameter readsBody: whether the body of an answer is wanted.
    /// - Throws: `UpstreamError`, which names no more of the address than its host, `CancellationError`.
    public func post(
        _ body: [UInt8], to url: String, headers: [(name: String, value: String)], readsBody: Bool = false
    ) async throws -> Answer {
        try await send(.POST, body, to: url, headers: headers, readsBody: readsBody)
    }

    private func send(
        _ method: HTTPMethod, _ body: [UInt8]?, to url: String, headers: [(name: String, value: String)],
        readsBody: Bool
    ) async throws -> Answer {
        var options = options
        options.url = try Self.origin(url)
        options.timeout = timeout
        let client = HTTPClient(
            // Who we are to the repository is nobody else's business.
            try .init(for: options, proxy: options.proxies.proxy(for: options.url), isHome: false, idle: .seconds(1)),
            on: MultiThreadedEventLoopGroup.singleton)
        defer { client.shutdown() }
        var request = HTTPRequest(url: url)
        request.method = method
        request.headers.add(name: "User-Agent", value: options.agent)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = body
        do {
            let end = ContinuousClock.now + timeout
            let response = try await withDeadline(timeout, throwing: HTTPFault.silent) { [request] in
                try await client.execute(request)
            }
            let date = response.headers.first(name: "Date").flatMap { HTTPDate.seconds($0) }
            guard response.status.code < 300 else {
                let refusal = await HTTPRefusal(response, hiding: [])
                return Answer(
                    status: refusal.status, retryAfter: refusal.retryAfter, date: date, words: refusal.words, body: [])
            }
            var body: [UInt8] = []
            if readsBody {
                let read = await response.body.beginning(atMost: Self.maxBytes, within: max(end - .now, .zero))
                try Task.checkCancellation()
                guard read.isWhole else { throw HTTPFault.silent }
                body = read.bytes
            }
            return Answer(status: Int(response.status.code), retryAfter: nil, date: date, words: nil, body: body)
        } catch {
            throw upstreamError(error, at: HTTPPlace(options))
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
