import Git
import Synchronization

/// A server that is spoken to in git's protocol v2 where it can, and in the old one where it cannot.
final class SmartUpstream: Upstream {
    private let options: UpstreamOptions
    private let executor: GitExecutor
    private let transport: any SmartTransport
    private let traffic: Traffic
    private let tell: @Sendable (String) -> Void
    private let toldThatItSpeaksV0 = Mutex(false)
    private let terms = Mutex<FetchTerms>([.folders, .history, .most])

    init(
        _ options: UpstreamOptions, over transport: any SmartTransport, on executor: GitExecutor,
        counting traffic: Traffic, tell: @escaping @Sendable (String) -> Void
    ) {
        self.tell = tell
        self.options = options
        self.executor = executor
        self.transport = transport
        self.traffic = traffic
    }

    var fixed: Advertisement? { options.ref.fixed }

    func connected<Value: Sendable>(_ work: (any Remote) async throws -> Value) async throws -> Value {
        var refused = FetchTerms()
        while true {
            do {
                let value = try await connect(work)
                // Of folders that goes for the server, and of history for what is there now.
                terms.withLock { $0.formUnion(refused.intersection(.history)) }
                return value
            } catch let error as TermsRefused where refused.isDisjoint(with: error.terms) {
                refused.formUnion(error.terms)
                terms.withLock { $0.subtract(error.terms) }
            } catch {
                // It may not have been that.
                terms.withLock { $0.formUnion(refused) }
                throw error
            }
        }
    }

    private func connect<Value: Sendable>(_ work: (any Remote) async throws -> Value) async throws -> Value {
        let received = traffic.received
        let terms = terms.withLock { $0 }
        do {
            return try await transport.withServer { server in
                if server.speaksV0 { tellThatItSpeaksV0() }
                return try await work(
                    SmartRemote(
                        options: options, executor: executor, server: server, traffic: traffic, terms: terms))
            }
        } catch let error as ProtocolError {
            throw UpstreamError(error, options)
        } catch UpstreamError.stalled(let host, let time) {
            // Silent name servers look just like a server that never answers. A proxy resolves the name itself.
            if try traffic.received == received && host == options.url.authority
                && options.proxies.proxy(for: options.url) == nil, await !Resolver.answers(for: name)
            {
                throw UpstreamError.hostUnknown(host: name, reason: Resolver.silence)
            }
            try Task.checkCancellation()
            throw UpstreamError.stalled(host: host, time: time)
        }
    }

    private var name: String { options.url.endpoint(defaultPort: 0).host }

    /// Once.
    private func tellThatItSpeaksV0() {
        let isNew = toldThatItSpeaksV0.withLock { told in
            defer { told = true }
            return !told
        }
        if isNew {
            tell("\(options.url) speaks an old version of git's protocol: each question brings all of its references")
        }
    }
}

/// A server that is connected, and the two questions.
private struct SmartRemote: Remote {
    let options: UpstreamOptions
    let executor: GitExecutor
    let server: any SmartServer
    let traffic: Traffic
    let terms: FetchTerms

    var abilities: String? {
        "git's protocol \(server.speaksV0 ? "v0" : "v2"), \(server.canFilter ? "with" : "without") filters"
    }

    func discover() async throws -> Advertisement {
        if let fixed = options.ref.fixed { return fixed }
        try server.requireSHA1(options)
        let address = options.url.address
        let references: [Reference]
        switch try await server.references(options.ref.interest, agent: options.agent) {
        case .references(let found): references = found
        case .noCommits: throw UpstreamError.noCommits(address: address)
        case .headNowhere(let branch): throw UpstreamError.headNowhere(branch: branch, address: address)
        }
        let found = Dictionary(references.map { ($0.name, $0) }) { first, _ in first }
        return try options.ref.advertisement(address: address, names: { references.map(\.name) }, { found[$0] }) {
            $0.peeled ?? $0.target
        }
    }

    func fetch(_ request: FetchRequest, progress: @escaping @Sendable (TransferProgress) throws -> Void) async throws {
        try await PackFetch(
            request: request, options: options, executor: executor, server: server, traffic: traffic,
            progress: progress, terms: terms
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
