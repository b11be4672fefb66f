import Git
import Synchronization

/// A server that is spoken to in git's protocol v2 where it can, and by libgit2 in the old one where it cannot.
final class SmartUpstream: Upstream {
    private let options: UpstreamOptions
    private let executor: GitExecutor
    private let transport: any SmartTransport
    private let legacy: LegacyUpstream
    private let tell: @Sendable (String) -> Void
    private let state = Mutex(State())

    private struct State {
        var isOld = false
        var toldThatItIsOld = false
    }

    init(
        _ options: UpstreamOptions, over transport: any SmartTransport, on executor: GitExecutor,
        tell: @escaping @Sendable (String) -> Void
    ) {
        self.tell = tell
        self.options = options
        self.executor = executor
        self.transport = transport
        legacy = LegacyUpstream(options: options, executor: executor)
    }

    func discover() async throws -> Advertisement {
        // A commit is what it is: there is nothing to ask.
        if case .commit(let id) = options.ref { return Advertisement(ref: id.description, commit: id) }
        return try await speaking { server in
            try await self.references(server)
        } old: {
            try await $0.discover()
        }
    }

    private func references(_ server: any SmartServer) async throws -> Advertisement {
        try server.requireSHA1(options)
        var list = ListReferences(options.ref.interest)
        try await server.run(list.command(for: server.capabilities, agent: options.agent)) { reader in
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
        try await speaking { server in
            try await PackFetch(
                request: request, options: self.options, executor: self.executor, server: server, progress: progress
            ).run()
        } old: {
            try await $0.fetch(request, progress: progress)
        }
    }

    /// Asks in protocol v2, or, once the server has shown that it does not speak it, in the old one.
    private func speaking<Value: Sendable>(
        _ work: (any SmartServer) async throws -> Value, old: (LegacyUpstream) async throws -> Value
    ) async throws -> Value {
        if state.withLock({ $0.isOld }) {
            do { return try await old(legacy) } catch {
                // It may have become another server.
                state.withLock { $0.isOld = false }
                throw error
            }
        }
        do {
            return try await transport.withServer(work)
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
            return try await old(legacy)
        } catch let error as ProtocolError {
            throw UpstreamError(error, options)
        }
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
