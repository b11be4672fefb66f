import Git
import Synchronization

/// A server that is spoken to in git's protocol v2 where it can. Where it cannot, it is in the old one: here over a stream, by
/// libgit2 over http, where that one has rounds of its own.
final class SmartUpstream: Upstream {
    private let options: UpstreamOptions
    private let executor: GitExecutor
    private let transport: any SmartTransport
    private let legacy: LegacyRemote
    private let traffic: Traffic
    private let tell: @Sendable (String) -> Void
    private let state = Mutex(State())

    private struct State {
        var isOld = false
        var toldThatItIsOld = false
    }

    init(
        _ options: UpstreamOptions, over transport: any SmartTransport, on executor: GitExecutor,
        counting traffic: Traffic, tell: @escaping @Sendable (String) -> Void
    ) {
        self.tell = tell
        self.options = options
        self.executor = executor
        self.transport = transport
        self.traffic = traffic
        legacy = LegacyRemote(options: options, executor: executor, traffic: traffic)
    }

    var fixed: Advertisement? { options.ref.fixed }

    func connected<Value: Sendable>(_ work: (any Remote) async throws -> Value) async throws -> Value {
        if state.withLock({ $0.isOld }) {
            do { return try await work(legacy) } catch {
                // It may have become another server.
                state.withLock { $0.isOld = false }
                throw error
            }
        }
        let received = traffic.received
        do {
            return try await transport.withServer { server in
                if server.isOld { tellThatItIsOld("each question brings all of its references") }
                return try await work(SmartRemote(options: options, executor: executor, server: server))
            }
        } catch is OldProtocol {
            state.withLock { $0.isOld = true }
            tellThatItIsOld("each question brings all of its references, and a fetch all of the history")
            return try await work(legacy)
        } catch let error as ProtocolError {
            throw UpstreamError(error, options)
        } catch UpstreamError.stalled(let host, let seconds) {
            // Silent name servers look just like a server that never answers. A proxy resolves the name itself.
            if try traffic.received == received && host == options.url.authority
                && options.proxies.proxy(for: options.url) == nil, await !Resolver.answers(for: name)
            {
                throw UpstreamError.hostUnknown(host: name, reason: Resolver.silence)
            }
            try Task.checkCancellation()
            throw UpstreamError.stalled(host: host, seconds: seconds)
        }
    }

    private var name: String { options.url.endpoint(standard: 0).host }

    /// Once.
    private func tellThatItIsOld(_ what: String) {
        let isNew = state.withLock { state in
            defer { state.toldThatItIsOld = true }
            return !state.toldThatItIsOld
        }
        if isNew { tell("\(options.url) speaks an old version of git's protocol: \(what)") }
    }
}

/// A server that is connected, and the two questions.
private struct SmartRemote: Remote {
    let options: UpstreamOptions
    let executor: GitExecutor
    let server: any SmartServer

    func discover() async throws -> Advertisement {
        if let fixed = options.ref.fixed { return fixed }
        try server.requireSHA1(options)
        guard let references = try await server.references(options.ref.interest, agent: options.agent) else {
            throw UpstreamError.noCommits(address: options.url.address)
        }
        let found = Dictionary(references.map { ($0.name, $0) }) { first, _ in first }
        let (reference, warnings) = try options.ref.resolve(
            address: options.url.address, names: { references.map(\.name) }, { found[$0] })
        return Advertisement(
            ref: reference.symbolic ?? reference.name, commit: reference.peeled ?? reference.target, warnings: warnings)
    }

    func fetch(_ request: FetchRequest, progress: @escaping @Sendable (TransferProgress) throws -> Void) async throws {
        try await PackFetch(
            request: request, options: options, executor: executor, server: server, progress: progress
        ).run()
    }
}

extension UpstreamError {
    /// What is wrong with a server's answer.
    init(_ error: ProtocolError, _ options: UpstreamOptions) {
        let address = options.url.address
        switch error {
        case .ended: self = .closed(host: options.url.authority, reason: error.description)
        case .refused(let reason):
            let text = reason.lowercased()
            self =
                text.contains("not exported") || text.contains("not found") || text.contains("no such repository")
                ? .repositoryNotFound(address: address) : .serverFailed(address: address, reason: reason)
        case .unexpected, .tooMuch:
            self = .serverFailed(address: address, reason: "its answer is malformed: \(error)")
        }
    }
}
