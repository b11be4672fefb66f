import FoundationEssentials
import Git
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Platform

/// git's protocol over http(s) (gitprotocol-http(5), Smart Clients), over one connection that is kept from pass to pass. In
/// version 2 every command is a POST of its own; what the server can do is asked once and remembered until something fails. In
/// the old one that question is answered with all references, so it is asked by each pass.
final class HTTPTransport: SmartTransport {
    private let options: UpstreamOptions
    private let traffic: Traffic
    private let clients: HTTPClients
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
    private static let idle = Duration.seconds(120)
    /// As many as git follows.
    private static let maxRedirects = 20

    init(_ options: UpstreamOptions, counting traffic: Traffic) throws(UpstreamError) {
        self.options = options
        self.traffic = traffic
        app = options.app.map { GitHubApp($0) }
        clients = try HTTPClients(options, idle: Self.idle)
    }

    func withServer<Value: Sendable>(_ work: (any SmartServer) async throws -> Value) async throws -> Value {
        try checkEmbargo()
        do {
            let credential = try await credential()
            let known = remembered.withLock { $0 }
            let discovery: Discovery
            if let known { discovery = known } else { discovery = try await discover(credential) }
            switch discovery.greeting {
            case .version2(let capabilities):
                remembered.withLock { $0 = discovery }
                return try await work(
                    Server(transport: self, base: discovery.base, capabilities: capabilities, credential: credential))
            case .v0(let advertisement):
                return try await work(
                    V0Server(advertisement) { request, read in
                        try await self.post(request, to: discovery.base, credential, version2: false, read)
                    })
            }
        } catch {
            if case UpstreamError.authentication = error { await app?.forget() }
            if case UpstreamError.busy(_, let status, let time?, _) = error {
                embargo.withLock { $0 = (status, .now + time) }
            }
            // Whatever it was: the next question begins at the beginning.
            remembered.withLock { $0 = nil }
            throw error
        }
    }

    /// Whoever asked for a pass, a signal or a webhook: what the server asked for comes first.
    private func checkEmbargo() throws(UpstreamError) {
        guard let (status, end) = embargo.withLock({ $0 }) else { return }
        let rest = end - ContinuousClock.now
        guard rest > .zero else { return embargo.withLock { $0 = nil } }
        throw .busy(address: options.url.address, status: status, retryAfter: rest)
    }

    private func credential() async throws -> CredentialSource.Pair? {
        guard let app else {
            return try await DiskThread.perform { [options] in try options.credentials.credential(for: options.url) }
        }
        return try await app.credential(by: OneShotHTTPClient(like: options, timeout: options.timeout))
    }

    /// The login for another origin.
    private func listed(for address: String) async throws -> CredentialSource.Pair? {
        let credentials = options.credentials
        return try await DiskThread.perform { try credentials.listed(for: address, user: nil, isHome: false) }
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
        var request = HTTPRequest(url: base + "/git-upload-pack")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-git-upload-pack-request")
        request.headers.add(name: "Accept", value: "application/x-git-upload-pack-result")
        // Many tags: a third of the bytes.
        request.headers.add(name: "Accept-Encoding", value: isText ? "gzip" : "identity")
        request.body = command
        let answer = try await execute(
            request, bodySize: command.count, credential, version2: version2, mayRepeat: true)
        try await check(answer, is: "application/x-git-upload-pack-result")
        return try await reading(answer) { reader in
            let value = try await read(&reader)
            try await reader.end()
            return value
        }
    }

    // MARK: discovery

    /// The one request whose redirects are followed, as git does (http.followRedirects=initial).
    private func discover(_ credential: CredentialSource.Pair?) async throws -> Discovery {
        var url = Self.trimmed(options.url.address) + Self.discoverySuffix
        for _ in 0...Self.maxRedirects {
            var request = HTTPRequest(url: url)
            request.headers.add(name: "Accept", value: "*/*")
            request.headers.add(name: "Pragma", value: "no-cache")
            request.headers.add(name: "Accept-Encoding", value: "identity")
            let answer = try await execute(request, credential, mayRepeat: false)
            if let next = try redirect(of: answer.response, from: url) {
                // A few bytes, so that the connection can go on to be used.
                try? await answer.response.body.drop(atMost: 65_536)
                url = next
                continue
            }
            try await check(answer, is: "application/x-git-upload-pack-advertisement")
            let greeting = try await reading(answer) { reader in
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

    private func redirect(of response: HTTPResponse, from url: String) throws(UpstreamError) -> String? {
        guard [301, 302, 303, 307, 308].contains(response.status.code) else { return nil }
        let location = response.headers.first(name: "Location") ?? ""
        guard let next = HTTPOrigin.resolve(location, against: url), next.hasSuffix(Self.discoverySuffix) else {
            throw .serverFailed(
                address: options.url.address,
                reason: "it redirects to \(HTTPOrigin.shown(location)), which is no repository")
        }
        guard let from = HTTPOrigin(url), let to = HTTPOrigin(next), from.scheme != "https" || to.scheme == "https"
        else {
            throw .serverFailed(
                address: options.url.address,
                reason: "it redirects to \(HTTPOrigin.shown(location)), which is not encrypted")
        }
        return next
    }

    // MARK: requests

    /// An answer, and what of it depends on who was asked.
    private struct Answer {
        let response: HTTPResponse
        let url: String
        let place: HTTPPlace
        let login: CredentialSource.Pair?
        /// There is a login, and it is for another origin.
        let keepsLogin: Bool
    }

    /// - Parameter mayRepeat: whether the connection has been idle: the server may have closed it, and a request that met
    ///   that has not been seen.
    private func execute(
        _ request: HTTPRequest, bodySize: Int = 0, _ credential: CredentialSource.Pair?, version2: Bool = true,
        mayRepeat: Bool
    ) async throws -> Answer {
        var request = request
        request.headers.add(name: "User-Agent", value: options.agent)
        if version2 { request.headers.add(name: "Git-Protocol", value: "version=2") }
        // Never to another origin than the one that it was given for.
        let isHome = HTTPOrigin(request.url) == HTTPOrigin(options.url.address)
        let login = isHome ? credential : try await listed(for: request.url)
        if let login { request.logIn(login.user, login.password) }
        let place = isHome ? HTTPPlace(options) : HTTPPlace(options, redirectedTo: request.url)
        let client = try await clients.client(for: request.url)
        traffic.ask(bodySize)
        let response: HTTPResponse
        do {
            response = try await client.execute(request)
        } catch let error where mayRepeat && Self.isClosed(error) {
            response = try await mappingErrors(place) { try await client.execute(request) }
        } catch {
            throw upstreamError(error, at: place)
        }
        return Answer(
            response: response, url: request.url, place: place, login: login,
            keepsLogin: login == nil && credential != nil)
    }

    private static func isClosed(_ error: any Error) -> Bool {
        if let fault = error as? HTTPFault { return fault == .closed }
        if let error = error as? ChannelError {
            return [.ioOnClosedChannel, .alreadyClosed, .outputClosed, .eof].contains(error)
        }
        return (error as? IOError).map { [ECONNRESET, EPIPE].contains($0.errnoCode) } ?? false
    }

    private func reading<Value>(
        _ answer: Answer, _ read: (inout PacketReader) async throws -> Value
    ) async throws -> Value {
        let body = answer.response.body.makeAsyncIterator()
        let (place, traffic) = (answer.place, traffic)
        var reader = PacketReader {
            let bytes = try await mappingErrors(place) { try await body.next() }
            traffic.receive(bytes?.readableBytes ?? 0)
            return bytes
        }
        return try await read(&reader)
    }

    private func check(_ answer: Answer, is expected: String) async throws {
        guard answer.response.status == .ok else {
            let refusal = await refusal(answer)
            try Task.checkCancellation()
            throw refusal
        }
        let type = answer.response.headers.first(name: "Content-Type") ?? "no content type"
        guard type.lowercased().prefix(while: { $0 != ";" && $0 != " " }) == expected else {
            if try await isListOfReferences(answer) { throw UpstreamError.dumbServer(address: answer.place.address) }
            throw UpstreamError.notGit(address: answer.place.address, found: type)
        }
    }

    /// What a status that is no success means, in the server's own words where it has some.
    private func refusal(_ answer: Answer) async -> UpstreamError {
        let login = answer.login.map { [$0.password, HTTPLogin.encoded($0.user, $0.password)] }
        let refusal = await HTTPRefusal(answer.response, hiding: login ?? [])
        let (address, status, words) = (answer.place.address, refusal.status, refusal.words)
        // Whoever asks to be left alone is, whatever else it says.
        if [403, 429, 503].contains(status), let time = refusal.retryAfter {
            return .busy(address: address, status: status, retryAfter: time, says: words)
        }
        switch status {
        case 301, 302, 303, 307, 308:
            let location = answer.response.headers.first(name: "Location") ?? ""
            return .moved(
                address: address,
                location: HTTPOrigin.shown(HTTPOrigin.resolve(location, against: answer.url) ?? location))
        case 401 where answer.keepsLogin:
            return .loginKeptBack(address: address, origin: options.url.authority, says: words)
        case 401: return .authentication(address: address, hadCredential: answer.login != nil, says: words)
        case 403: return .forbidden(address: address, says: words)
        case 404, 410: return .repositoryNotFound(address: address, says: words)
        case 407: return .unreachable(host: answer.place.host, reason: refusal.saying("the proxy asks for a login"))
        case 429, 503: return .busy(address: address, status: status, retryAfter: nil, says: words)
        default: return .serverFailed(address: address, reason: refusal.saying("status \(status)"))
        }
    }

    /// Whether it is the file that `git update-server-info` makes: an id, a tab and a name a line, for clients that read the
    /// repository file by file.
    private func isListOfReferences(_ answer: Answer) async throws -> Bool {
        var start: [UInt8] = []
        try await mappingErrors(answer.place) {
            for try await bytes in answer.response.body {
                start += bytes.readableBytesView
                if start.count > 40 { break }
            }
        }
        return start.count > 40 && start[40] == 9 && ObjectID(hexDigits: start[..<40]) != nil
    }
}
