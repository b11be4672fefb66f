import Git
import Synchronization

/// A server that is spoken to in git's protocol v2 where it can, and by libgit2 in the old one where it cannot.
final class SmartUpstream: Upstream {
    private let options: UpstreamOptions
    private let executor: GitExecutor
    private let transport: any SmartTransport
    private let legacy: LegacyRemote
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
        do {
            return try await transport.withServer { server in
                try await work(SmartRemote(options: options, executor: executor, server: server))
            }
        } catch is OldProtocol where options.url.transport != .ssh {
            let isNew = state.withLock { state in
                defer { (state.isOld, state.toldThatItIsOld) = (true, true) }
                return !state.toldThatItIsOld
            }
            if isNew {
                tell(
                    "\(options.url) speaks an old version of git's protocol: each question brings all of its references, and a fetch all of the history"
                )
            }
            return try await work(legacy)
        } catch let error as ProtocolError {
            throw UpstreamError(error, options)
        }
    }
}

/// A server that is connected, and the two questions in protocol v2.
private struct SmartRemote: Remote {
    let options: UpstreamOptions
    let executor: GitExecutor
    let server: any SmartServer

    func discover() async throws -> Advertisement {
        if let fixed = options.ref.fixed { return fixed }
        try server.requireSHA1(options)
        var list = ListReferences(options.ref.interest)
        try await server.run(list.command(for: server.capabilities, agent: options.agent), answeredByText: true) {
            reader in
            while try !list.take(try await reader.next()) {}
        }
        guard list.unbornHead == nil else { throw UpstreamError.noCommits(address: options.url.address) }
        let found = Dictionary(list.references.map { ($0.name, $0) }) { first, _ in first }
        let (reference, warnings) = try options.ref.resolve(
            address: options.url.address, names: { list.references.map(\.name) }, { found[$0] })
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
