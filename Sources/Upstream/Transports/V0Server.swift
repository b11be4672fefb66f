import Git
import NIOCore

/// A server of the old protocol. It has said all of its references already, and gives one pack: over a stream as the answer to
/// what is written into it, over http as the answer to one POST.
final class V0Server: SmartServer {
    /// Sends a request, and lends what comes for it.
    typealias Exchange = (
        _ request: [UInt8], _ read: (inout PacketReader) async throws -> Void
    ) async throws -> Void

    private let advertisement: V0Advertisement
    private let exchange: Exchange
    private(set) var isAsked = false

    let speaksV0 = true
    var objectFormat: String { advertisement.objectFormat }
    /// A history without its trees is not asked of such a server.
    let canFilter = false

    init(_ advertisement: V0Advertisement, by exchange: @escaping Exchange) {
        (self.advertisement, self.exchange) = (advertisement, exchange)
    }

    func references(_ interest: RefInterest, agent: String) async throws -> ReferenceAnswer {
        let found = advertisement.references.filter { interest.wants($0.name) }
        guard found.isEmpty, interest.wants(.head) else { return .references(found) }
        return advertisement.isEmpty ? .noCommits : .headNowhere(advertisement.symbolic[.head])
    }

    func fetch(
        _ fetch: FetchPack, agent: String, _ take: (FetchPackAnswer.Event) async throws -> Void
    ) async throws {
        isAsked = true
        let capabilities = advertisement.capabilities
        guard !capabilities.isDisjoint(with: ["side-band-64k", "side-band"]) else {
            throw ProtocolError.unexpected(expected: "a server that has side-band-64k", found: "one that has not")
        }
        var fetch = fetch
        let wants = advertisement.wants(for: fetch.want)
        if wants.isWhole { fetch.depth = 0 }
        let request = fetch.v0Request(wants.ids, for: capabilities, agent: agent)
        // It tells of them only here when nothing else is asked.
        if !fetch.deepens(capabilities) { for id in advertisement.shallow { try await take(.shallow(id)) } }
        try await exchange(request) { reader in
            var answer = V0FetchAnswer(deepens: fetch.deepens(capabilities))
            while true {
                guard let event = try answer.take(try await reader.next()) else { continue }
                try await take(event)
                if event == .end { return }
            }
        }
    }
}
