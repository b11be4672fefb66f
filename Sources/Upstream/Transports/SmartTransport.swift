import Git

/// A way to a server.
protocol SmartTransport: Sendable {
    /// Lends a server that takes commands, for the work of one pass.
    ///
    /// - Throws: `ProtocolV0`, `UpstreamError`, `ProtocolError`, `CancellationError`, and what the work throws.
    func withServer<Value: Sendable>(_ work: (any SmartServer) async throws -> Value) async throws -> Value
}

/// A server that has said what it can do, and answers the two questions.
protocol SmartServer {
    /// Whether it speaks a version before 2.
    var speaksV0: Bool { get }
    /// What it hashes objects with.
    var objectFormat: String { get }
    /// Whether it can leave trees and blobs out of a pack.
    var canFilter: Bool { get }

    /// Those of its references that were asked for.
    func references(_ interest: RefInterest, agent: String) async throws -> ReferenceAnswer

    /// Brings one pack.
    ///
    /// - Parameter take: takes what comes, in order; the last is the end.
    func fetch(_ fetch: FetchPack, agent: String, _ take: (FetchPackAnswer.Event) async throws -> Void) async throws
}

/// What a server says of the references that were asked for.
enum ReferenceAnswer: Sendable, Equatable {
    case references([Reference])
    /// It has none at all.
    case noCommits
    /// HEAD was asked for, and names a branch that is not there, though others are.
    case headNowhere(ReferenceName?)
}

extension SmartServer {
    /// Before anything is asked: git ends a connection over which it is asked for another format.
    func requireSHA1(_ options: UpstreamOptions) throws(UpstreamError) {
        guard objectFormat == "sha1" else {
            throw .objectFormat(objectFormat, address: options.url.address)
        }
    }
}

/// A server of version 2, which takes commands.
protocol CommandServer: SmartServer {
    var capabilities: ServerCapabilities { get }

    /// Sends one command and lends its answer, which is read to its end.
    ///
    /// - Parameter isText: whether the answer is worth compressing. A pack is compressed as it is.
    func run<Value>(
        _ command: [UInt8], answeredByText isText: Bool, _ read: (inout PacketReader) async throws -> Value
    ) async throws -> Value
}

extension CommandServer {
    var speaksV0: Bool { false }
    var objectFormat: String { capabilities.objectFormat }
    var canFilter: Bool { capabilities.has("filter", of: "fetch") }

    func references(_ interest: RefInterest, agent: String) async throws -> ReferenceAnswer {
        let list = try await list(interest, agent: agent)
        guard list.references.isEmpty, interest.wants(.head) else { return .references(list.references) }
        // Only then it matters whether there is anything else.
        let others = try await self.list(.below("refs/"), agent: agent)
        return others.references.isEmpty ? .noCommits : .headNowhere(list.unbornHead ?? nil)
    }

    private func list(_ interest: RefInterest, agent: String) async throws -> ListReferences {
        var list = ListReferences(interest)
        try await run(list.command(for: capabilities, agent: agent), answeredByText: true) { reader in
            while try !list.take(try await reader.next()) {}
        }
        return list
    }

    func fetch(
        _ fetch: FetchPack, agent: String, _ take: (FetchPackAnswer.Event) async throws -> Void
    ) async throws {
        try await run(fetch.command(for: capabilities, agent: agent), answeredByText: false) { reader in
            var answer = FetchPackAnswer()
            while true {
                guard let event = try answer.take(try await reader.next()) else { continue }
                try await take(event)
                if event == .end { return }
            }
        }
    }
}

/// The server speaks version 0 or 1 of the protocol.
struct ProtocolV0: Error {}

extension PacketReader {
    /// What a server says at first.
    enum Greeting: Sendable {
        case version2(ServerCapabilities)
        case v0(V0Advertisement)
    }

    /// Reads it, to its end.
    ///
    /// - Parameter keeps: which references of an old server are wanted; `nil` when it is not itself.
    /// - Throws: `ProtocolV0` at the first reference of such a server.
    mutating func greeting(keeping keeps: (@Sendable (ReferenceName) -> Bool)?) async throws -> Greeting {
        var greeting = CapabilityReader()
        while true {
            let packet = try await next()
            switch try greeting.take(packet) {
            case nil: continue
            case .old?:
                guard let keeps else { throw ProtocolV0() }
                var advertisement = V0Advertisement(keeping: keeps)
                guard try !advertisement.take(packet) else { return .v0(advertisement) }
                while try !advertisement.take(try await next()) {}
                return .v0(advertisement)
            case .version2(let capabilities)?:
                guard capabilities.has("fetch") else {
                    throw ProtocolError.unexpected(expected: "a server that fetches", found: "one that does not")
                }
                return .version2(capabilities)
            }
        }
    }
}
