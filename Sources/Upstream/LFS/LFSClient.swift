import FoundationEssentials
import Git
import NIOCore
import NIOHTTP1
import Platform
import Synchronization

/// Speaks with a server of Git LFS over http(s): the batch API, and what it leads to.
final class LFSClient: Sendable {
    let endpoint: LFSEndpoint
    private let traffic: Traffic
    private let clients: HTTPClients
    private let login: CredentialSource.Pair?
    private let addresses: LinkLocalAddresses

    private static let maxRedirects = 10
    /// Bytes of the answer to a batch: of a hundred objects each has some thousands.
    private static let maxAnswer = 4 << 20
    private static let idle = Duration.seconds(120)

    /// Knows the login of the moment.
    init(_ endpoint: LFSEndpoint, counting traffic: Traffic) async throws {
        self.endpoint = endpoint
        self.traffic = traffic
        let options = endpoint.options
        clients = try await DiskThread.perform { try HTTPClients(options, idle: Self.idle) }
        addresses = LinkLocalAddresses(options)
        if let app = options.app {
            login = try await GitHubApp(app).credential(by: OneShotHTTPClient(like: options, timeout: options.timeout))
        } else {
            let home = endpoint.home
            login = try await DiskThread.perform {
                // What is listed for the repository by its path is for what is below it there.
                try options.credentials.credential(for: options.url)
                    ?? home.flatMap { try options.credentials.credential(for: $0) }
            }
        }
    }

    // MARK: the batch API

    /// How each of some objects is had. A server that refuses them all may refuse one: they are asked for in halves then.
    func actions(for objects: [LFSObject], ref: ReferenceName?) async throws -> [LFSObjectID: LFSAction] {
        do {
            return try await batch(objects, ref: ref)
        } catch let refusal as BatchRefusal {
            guard objects.count > 1 else { throw refusal.error(objects[0], endpoint) }
            let half = objects.count / 2
            let first = try await actions(for: Array(objects[..<half]), ref: ref)
            return try await first.merging(actions(for: Array(objects[half...]), ref: ref)) { $1 }
        }
    }

    /// What may be said of one object in a batch and be told of all.
    private struct BatchRefusal: Error {
        let status: Int
        let words: String?

        static let statuses = [404, 410, 413, 422]

        func error(_ object: LFSObject, _ endpoint: LFSEndpoint) -> LFSError {
            status == 404 || status == 410
                ? .missing(object, address: endpoint.url, says: words)
                : .refused(object, address: endpoint.url, code: status, says: words)
        }
    }

    private func batch(_ objects: [LFSObject], ref: ReferenceName?) async throws -> [LFSObjectID: LFSAction] {
        var call = Call(url: endpoint.url + "/objects/batch", method: .POST)
        call.headers = [("Accept", LFSBatch.mediaType), ("Content-Type", LFSBatch.mediaType)]
        call.secrets = endpoint.headers.map { ($0.key, $0.value) }
        if endpoint.headers.isEmpty { call.log(in: login) }
        call.body = Array(try JSONEncoder().encode(LFSBatch.Request(objects, ref: ref)))
        let (response, place) = try await send(call)
        guard response.status == .ok else {
            let refusal = await HTTPRefusal(response, hiding: hidden)
            try Task.checkCancellation()
            if BatchRefusal.statuses.contains(refusal.status) {
                throw BatchRefusal(status: refusal.status, words: refusal.words)
            }
            throw self.error(refusal, at: place)
        }
        let type = (response.headers.first(name: "Content-Type") ?? "no content type").lowercased()
        let answer = await response.body.beginning(atMost: Self.maxAnswer, within: endpoint.options.timeout)
        try Task.checkCancellation()
        traffic.receive(answer.bytes.count)
        guard answer.isWhole else { throw UpstreamError.stalled(host: place.host, time: place.timeout) }
        guard let found = try? JSONDecoder().decode(LFSBatch.Answer.self, from: Data(answer.bytes)) else {
            throw LFSError.notLFS(address: endpoint.url, found: type)
        }
        return try actions(of: found, for: objects)
    }

    private func actions(of answer: LFSBatch.Answer, for objects: [LFSObject]) throws -> [LFSObjectID: LFSAction] {
        if let transfer = answer.transfer, transfer != "basic" {
            throw LFSError.unsupported(address: endpoint.url, what: "transfers of the kind \(transfer)")
        }
        if let hash = answer.hash_algo, hash != "sha256" {
            throw LFSError.unsupported(address: endpoint.url, what: "the hash \(hash)")
        }
        let answers = Dictionary(answer.objects.map { ($0.oid, $0) }) { first, _ in first }
        var actions: [LFSObjectID: LFSAction] = [:]
        for object in objects {
            let found = answers["\(object.id)"]
            if let failure = found?.error {
                let words = failure.message.flatMap { told($0) }
                throw [404, 410].contains(failure.code)
                    ? LFSError.missing(object, address: endpoint.url, says: words)
                    : LFSError.refused(object, address: endpoint.url, code: failure.code ?? 0, says: words)
            }
            guard let link = found?.actions?.download, let href = link.href else {
                throw LFSError.missing(object, address: endpoint.url, says: nil)
            }
            actions[object.id] = LFSAction(
                href: href, headers: link.header ?? [:], end: link.end, takesLogin: found?.authenticated != true)
        }
        return actions
    }

    // MARK: an object

    /// The link to an object is over, or was never good.
    struct LinkRefused: Error { let reason: any Error }

    /// Brings an object, or the rest of it. What came stays, whatever is thrown.
    ///
    /// - Parameter took: told of the bytes that came.
    /// - Throws: `LinkRefused`, `LFSError`, `UpstreamError`, `GitError`, `CancellationError`.
    func transfer(
        _ object: LFSObject, by action: LFSAction, into receiver: LFSReceiver, took: (Int) throws -> Void
    ) async throws {
        let held = try await receiver.begin()
        if held < object.size {
            let call = try call(for: object, by: action, from: held)
            let (response, place) = try await send(call)
            try await accept(response, from: held, object, at: place, receiver, hiding: call.secrets.map(\.value))
            let body = response.body.makeAsyncIterator()
            while let buffer = try await mappingErrors(place, { try await body.next() }) {
                traffic.receive(buffer.readableBytes)
                guard try await receiver.append(Array(buffer.readableBytesView)) else {
                    throw LFSError.wrongBytes(object, address: place.address)
                }
                try took(buffer.readableBytes)
            }
        }
        let address = HTTPOrigin.shown(action.href)
        switch try await receiver.verdict() {
        case .whole: return
        case .short(let count): throw LFSError.short(object, address: address, count: count)
        case .wrong: throw LFSError.wrongBytes(object, address: address)
        }
    }

    private func call(for object: LFSObject, by action: LFSAction, from held: Int64) throws -> Call {
        guard let origin = HTTPOrigin(action.href) else {
            throw LFSError.placeRefused(
                address: endpoint.url, place: HTTPOrigin.shown(action.href),
                reason: "which is no address of http or https")
        }
        guard endpoint.origin?.scheme != "https" || origin.scheme == "https" else {
            throw LFSError.placeRefused(
                address: endpoint.url, place: HTTPOrigin.shown(action.href), reason: "which is not encrypted")
        }
        var call = Call(url: action.href, method: .GET)
        // Those say how the connection is used, which is ours to say.
        let ours = ["host", "connection", "content-length", "transfer-encoding", "accept-encoding", "range"]
        call.secrets = action.headers.filter { !ours.contains($0.key.lowercased()) }.map { ($0.key, $0.value) }
        // A link with two logins is refused by many a storage.
        let hasLogin = call.secrets.contains { $0.name.lowercased() == "authorization" }
        if !hasLogin, action.takesLogin, origin == endpoint.origin { call.log(in: login) }
        if held > 0 { call.headers.append(("Range", "bytes=\(held)-\(object.size - 1)")) }
        return call
    }

    private func accept(
        _ response: HTTPResponse, from held: Int64, _ object: LFSObject, at place: HTTPPlace,
        _ receiver: LFSReceiver, hiding secrets: [String]
    ) async throws {
        switch response.status.code {
        case 200: if held > 0 { try await receiver.restart() }
        case 206 where Self.start(of: response) == held && held > 0: break
        case 206, 416:
            try await receiver.restart()
            throw LFSError.short(object, address: place.address, count: 0)
        default:
            let refusal = await HTTPRefusal(response, hiding: hidden + secrets)
            try Task.checkCancellation()
            if [404, 410].contains(refusal.status) {
                throw LFSError.missing(object, address: place.address, says: refusal.words)
            }
            let reason = error(refusal, at: place)
            throw [401, 403].contains(refusal.status) && refusal.retryAfter == nil
                ? LinkRefused(reason: reason) : reason
        }
    }

    /// Where the bytes of an answer begin (RFC 9110, section 14.4): `bytes 5-9/10`.
    private static func start(of response: HTTPResponse) -> Int64? {
        let text = response.headers.first(name: "Content-Range") ?? ""
        guard text.utf8.prefix(6).lowercasedASCII.elementsEqual("bytes ".utf8) else { return nil }
        return Int64(text.utf8.dropFirst(6).prefix(while: \.isDigit).asText)
    }

    // MARK: requests

    private struct Call {
        var url: String
        let method: HTTPMethod
        var headers: [(name: String, value: String)] = []
        /// For the origin of the address alone.
        var secrets: [(name: String, value: String)] = []
        var body: [UInt8]?

        init(url: String, method: HTTPMethod) { (self.url, self.method) = (url, method) }

        mutating func log(in login: CredentialSource.Pair?) {
            guard let login else { return }
            secrets.append(("Authorization", HTTPLogin.basic(login.user, login.password)))
        }

        func request(from agent: String) -> HTTPRequest {
            var request = HTTPRequest(url: url)
            request.method = method
            request.headers.add(name: "Accept-Encoding", value: "identity")
            request.headers.add(name: "User-Agent", value: agent)
            for (name, value) in headers + secrets { request.headers.replaceOrAdd(name: name, value: value) }
            if let body { request.body = body }
            return request
        }
    }

    /// Sends a request and goes where it leads: to another origin without anything that shows who asks.
    private func send(_ call: Call) async throws -> (HTTPResponse, HTTPPlace) {
        var call = call
        for _ in 0...Self.maxRedirects {
            let place = HTTPPlace(call.url, timeout: endpoint.options.timeout)
            if HTTPOrigin(call.url) != endpoint.origin, let reason = try await addresses.refusal(of: call.url) {
                throw LFSError.placeRefused(
                    address: endpoint.url, place: HTTPOrigin.shown(call.url), reason: reason)
            }
            let request = call.request(from: endpoint.options.agent)
            traffic.ask(call.body?.count ?? 0)
            let client = try await clients.client(for: call.url)
            let response = try await mappingErrors(place) {
                try await client.execute(request)
            }
            guard [301, 302, 303, 307, 308].contains(response.status.code) else { return (response, place) }
            let location = response.headers.first(name: "Location") ?? ""
            try? await response.body.drop(atMost: 65_536)
            call = try Self.following(location, call, from: endpoint.url)
        }
        throw UpstreamError.serverFailed(address: endpoint.url, reason: "it redirects without end")
    }

    private static func following(_ location: String, _ call: Call, from address: String) throws -> Call {
        var call = call
        guard let next = HTTPOrigin.resolve(location, against: call.url), let from = HTTPOrigin(call.url),
            let to = HTTPOrigin(next)
        else {
            throw LFSError.placeRefused(
                address: address, place: HTTPOrigin.shown(location), reason: "which is no address of http or https")
        }
        guard from.scheme != "https" || to.scheme == "https" else {
            throw LFSError.placeRefused(
                address: address, place: HTTPOrigin.shown(location), reason: "which is not encrypted")
        }
        if from != to { call.secrets = [] }
        call.url = next
        return call
    }

    /// What must not be repeated.
    private var hidden: [String] {
        (login.map { [$0.password, HTTPLogin.encoded($0.user, $0.password)] } ?? [])
            + endpoint.headers.values
    }

    /// What a server says, for a person; `nil` where a secret is in it.
    private func told(_ words: String) -> String? {
        let hides = hidden.contains { !$0.isEmpty && words.utf8.firstRange(of: $0.utf8) != nil }
        return hides ? nil : words.printable(limit: 300)
    }

    /// What a status that is no success means.
    private func error(_ refusal: HTTPRefusal, at place: HTTPPlace) -> any Error {
        let (status, words, address) = (refusal.status, refusal.words, place.address)
        if [403, 429, 503].contains(status), let time = refusal.retryAfter {
            return UpstreamError.busy(address: address, status: status, retryAfter: time, says: words)
        }
        switch status {
        case 401:
            return UpstreamError.authentication(
                address: address, hadCredential: login != nil || !endpoint.headers.isEmpty, says: words)
        case 403: return UpstreamError.forbidden(address: address, says: words)
        case 407:
            return UpstreamError.unreachable(host: place.host, reason: refusal.saying("the proxy asks for a login"))
        case 406, 501: return LFSError.notLFS(address: address, found: refusal.saying("status \(status)"))
        case 429, 503: return UpstreamError.busy(address: address, status: status, retryAfter: nil, says: words)
        case 507, 509: return LFSError.quota(address: address, status: status, says: words)
        default: return UpstreamError.serverFailed(address: address, reason: refusal.saying("status \(status)"))
        }
    }
}
