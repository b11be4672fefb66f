import AsyncHTTPClient
import Git
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import Platform

/// git's protocol over http(s) (gitprotocol-http(5), Smart Clients), over one connection that is kept from pass to pass. In
/// version 2 every command is a POST of its own; what the server can do is asked once and remembered until something fails. In
/// the old one that question is answered with all references, so it is asked by each pass.
final class HTTPTransport: SmartTransport {
    private let options: UpstreamOptions
    private let traffic: Traffic
    private let client: HTTPClient
    private let group: MultiThreadedEventLoopGroup
    private let app: GitHubApp?
    private let remembered = Mutex<Discovery?>(nil)
    /// What the server said when it asked to be left alone, and until when it is.
    private let embargo = Mutex<(status: Int, end: ContinuousClock.Instant)?>(nil)

    /// What discovery found.
    fileprivate struct Discovery: Sendable {
        /// Where the repository is, after redirects.
        let base: String
        let greeting: PacketReader.Greeting
    }

    /// Idle connections are closed after so many seconds: firewalls forget them a little later, and a request on one that was
    /// forgotten is lost.
    private static let idle: Int64 = 120
    /// As many as git follows.
    private static let mostRedirects = 20

    init(_ options: UpstreamOptions, counting traffic: Traffic) throws(UpstreamError) {
        self.options = options
        self.traffic = traffic
        app = options.app.map { GitHubApp($0) }
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        client = HTTPClient(
            eventLoopGroupProvider: .shared(group), configuration: try .init(for: options, idle: Self.idle))
    }

    deinit {
        let group = group
        client.shutdown { _ in group.shutdownGracefully { _ in } }
    }

    func withServer<Value: Sendable>(_ work: (any SmartServer) async throws -> Value) async throws -> Value {
        try checkEmbargo()
        let credential = try await credential()
        do {
            let known = remembered.withLock { $0 }
            let discovery: Discovery
            if let known { discovery = known } else { discovery = try await discover(credential) }
            switch discovery.greeting {
            case .version2(let capabilities):
                remembered.withLock { $0 = discovery }
                return try await work(
                    Server(transport: self, base: discovery.base, capabilities: capabilities, credential: credential))
            case .old(let advertisement):
                return try await work(
                    OldServer(advertisement) { request, read in
                        try await self.post(request, to: discovery.base, credential, version2: false, read)
                    })
            }
        } catch {
            if case UpstreamError.authentication = error { await app?.forget() }
            // Whatever it was: the next question begins at the beginning.
            remembered.withLock { $0 = nil }
            throw error
        }
    }

    /// Whoever asked for a pass, a signal or a webhook: what the server asked for comes first.
    private func checkEmbargo() throws(UpstreamError) {
        guard let (status, end) = embargo.withLock({ $0 }) else { return }
        let rest = (end - ContinuousClock.now) / .seconds(1)
        guard rest > 0 else { return embargo.withLock { $0 = nil } }
        throw .busy(address: options.url.address, status: status, seconds: rest)
    }

    private func credential() async throws -> CredentialSource.Pair? {
        guard let app else { return try options.credentials.credential(for: options.url) }
        let (client, options) = (client, options)
        return try await app.credential { request in
            var request = request
            request.headers.add(name: "User-Agent", value: options.agent)
            return try await telling(options) { try await client.execute(request, deadline: .distantFuture) }
        }
    }

    private struct Server: CommandServer {
        let transport: HTTPTransport
        let base: String
        let capabilities: ServerCapabilities
        let credential: CredentialSource.Pair?

        func run<Value>(
            _ command: [UInt8], answeredByText isText: Bool, _ read: (inout PacketReader) async throws -> Value
        ) async throws -> Value {
            try await transport.post(command, to: base, credential, answeredByText: isText, read)
        }
    }

    /// Sends a command, and lends its answer, which is read to its end.
    private func post<Value>(
        _ command: [UInt8], to base: String, _ credential: CredentialSource.Pair?, answeredByText isText: Bool = false,
        version2: Bool = true, _ read: (inout PacketReader) async throws -> Value
    ) async throws -> Value {
        var request = HTTPClientRequest(url: base + "/git-upload-pack")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-git-upload-pack-request")
        request.headers.add(name: "Accept", value: "application/x-git-upload-pack-result")
        // Many tags: a third of the bytes.
        request.headers.add(name: "Accept-Encoding", value: isText ? "gzip" : "identity")
        request.body = .bytes(command)
        let response = try await execute(
            request, bodySize: command.count, credential, version2: version2, mayRepeat: true)
        try await check(response, is: "application/x-git-upload-pack-result", hadCredential: credential != nil)
        return try await reading(response) { reader in
            let value = try await read(&reader)
            try await reader.end()
            return value
        }
    }

    // MARK: discovery

    /// The one request whose redirects are followed, as git does (http.followRedirects=initial).
    private func discover(_ credential: CredentialSource.Pair?) async throws -> Discovery {
        var url = Self.trimmed(options.url.address) + Self.discoverySuffix
        for _ in 0...Self.mostRedirects {
            var request = HTTPClientRequest(url: url)
            request.headers.add(name: "Accept", value: "*/*")
            request.headers.add(name: "Pragma", value: "no-cache")
            request.headers.add(name: "Accept-Encoding", value: "identity")
            let response = try await execute(request, credential, mayRepeat: false)
            if let next = try redirect(of: response, from: url) {
                // A few bytes, so that the connection can go on to be used.
                try? await response.body.drop(atMost: 65_536)
                url = next
                continue
            }
            try await check(
                response, is: "application/x-git-upload-pack-advertisement", hadCredential: credential != nil)
            let greeting = try await reading(response) { reader in
                let greeting = try await reader.greeting(keeping: options.ref.keeps)
                try await reader.end()
                return greeting
            }
            return Discovery(base: String(url.dropLast(Self.discoverySuffix.count)), greeting: greeting)
        }
        throw UpstreamError.serverFailed(address: options.url.address, reason: "it redirects without end")
    }

    private static let discoverySuffix = "/info/refs?service=git-upload-pack"

    private static func trimmed(_ address: String) -> String {
        var address = address[...]
        while address.hasSuffix("/") { address = address.dropLast() }
        return String(address)
    }

    private func redirect(of response: HTTPClientResponse, from url: String) throws(UpstreamError) -> String? {
        guard [301, 302, 303, 307, 308].contains(response.status.code) else { return nil }
        let location = response.headers.first(name: "Location") ?? ""
        guard let next = HTTPOrigin.resolve(location, against: url), next.hasSuffix(Self.discoverySuffix) else {
            throw .serverFailed(
                address: options.url.address, reason: "it redirects to \(location.printable()), which is no repository")
        }
        guard let from = HTTPOrigin(url), let to = HTTPOrigin(next), from.scheme != "https" || to.scheme == "https"
        else {
            throw .serverFailed(
                address: options.url.address, reason: "it redirects to \(location.printable()), which is not encrypted")
        }
        return next
    }

    // MARK: requests

    /// - Parameter mayRepeat: whether the connection has been idle: the server may have closed it, and a request that met
    ///   that has not been seen.
    private func execute(
        _ request: HTTPClientRequest, bodySize: Int = 0, _ credential: CredentialSource.Pair?, version2: Bool = true,
        mayRepeat: Bool
    ) async throws -> HTTPClientResponse {
        var request = request
        request.headers.add(name: "User-Agent", value: options.agent)
        if version2 { request.headers.add(name: "Git-Protocol", value: "version=2") }
        // Never to another origin than the one that it was given for.
        let isHome = HTTPOrigin(request.url) == HTTPOrigin(options.url.address)
        if let credential = isHome
            ? credential : try options.credentials.listed(for: request.url, user: nil, isHome: false)
        {
            request.setBasicAuth(username: credential.user, password: credential.password)
        }
        traffic.ask(bodySize)
        do {
            return try await client.execute(request, deadline: .distantFuture)
        } catch let error where mayRepeat && Self.isClosed(error) {
            return try await telling(options) { try await client.execute(request, deadline: .distantFuture) }
        } catch {
            throw failure(error, options)
        }
    }

    private static func isClosed(_ error: any Error) -> Bool {
        if let error = error as? HTTPClientError { return error == .remoteConnectionClosed }
        if let error = error as? ChannelError {
            return [.ioOnClosedChannel, .alreadyClosed, .outputClosed, .eof].contains(error)
        }
        return (error as? IOError).map { [ECONNRESET, EPIPE].contains($0.errnoCode) } ?? false
    }

    private func reading<Value>(
        _ response: HTTPClientResponse, _ read: (inout PacketReader) async throws -> Value
    ) async throws -> Value {
        // One reader, one call at a time.
        nonisolated(unsafe) var body = response.body.makeAsyncIterator()
        let (options, traffic) = (options, traffic)
        var reader = PacketReader {
            let bytes = try await telling(options) { try await body.next() }
            traffic.receive(bytes?.readableBytes ?? 0)
            return bytes
        }
        return try await read(&reader)
    }

    private func check(
        _ response: HTTPClientResponse, is expected: String, hadCredential: Bool
    ) async throws {
        let address = options.url.address
        let status = Int(response.status.code)
        // Whoever asks to be left alone is, whatever else it says.
        if [403, 429, 503].contains(status), let text = response.headers.first(name: "Retry-After"),
            let seconds = RetryAfter.seconds(text)
        {
            embargo.withLock { $0 = (status, .now + .seconds(seconds)) }
            throw UpstreamError.busy(address: address, status: status, seconds: seconds)
        }
        switch status {
        case 200: break
        case 401, 407: throw UpstreamError.authentication(address: address, hadCredential: hadCredential)
        case 403: throw UpstreamError.forbidden(address: address)
        case 404, 410: throw UpstreamError.repositoryNotFound(address: address)
        case 429, 503: throw UpstreamError.busy(address: address, status: status, seconds: nil)
        default: throw UpstreamError.serverFailed(address: address, reason: "status \(status)")
        }
        let type = response.headers.first(name: "Content-Type") ?? "no content type"
        guard type.lowercased().prefix(while: { $0 != ";" && $0 != " " }) == expected else {
            if try await isListOfReferences(response) {
                throw UpstreamError.dumbServer(address: address)
            }
            throw UpstreamError.notGit(address: address, found: type)
        }
    }

    /// Whether it is the file that `git update-server-info` makes: an id, a tab and a name a line, for clients that read the
    /// repository file by file.
    private func isListOfReferences(_ response: HTTPClientResponse) async throws -> Bool {
        var start: [UInt8] = []
        let options = options
        try await telling(options) {
            for try await bytes in response.body {
                start += bytes.readableBytesView
                if start.count > 40 { break }
            }
        }
        return start.count > 40 && start[40] == 9 && ObjectID(hexDigits: start[..<40]) != nil
    }
}

extension HTTPClientResponse.Body {
    fileprivate func drop(atMost limit: Int) async throws {
        var count = 0
        for try await bytes in self {
            count += bytes.readableBytes
            if count > limit { return }
        }
    }
}

/// Runs a call of the client, its failures told in this room's words.
private func telling<Value>(_ options: UpstreamOptions, _ work: () async throws -> Value) async throws -> Value {
    do { return try await work() } catch { throw failure(error, options) }
}
