import Git
import NIOCore

/// A server of the old protocol at the other end of a stream. It has said all of its references already, and gives one pack.
final class OldServer: SmartServer {
    private var reader: PacketReader
    private let advertisement: OldAdvertisement
    private let traffic: Traffic
    private let write: ([UInt8]) async throws -> Void
    private var isAsked = false

    let isOld = true
    var objectFormat: String { advertisement.objectFormat }
    /// A history without its trees is not asked of such a server.
    let canFilter = false

    init(
        _ advertisement: OldAdvertisement, _ reader: PacketReader, counting traffic: Traffic,
        writing write: @escaping ([UInt8]) async throws -> Void
    ) {
        (self.advertisement, self.reader, self.traffic, self.write) = (advertisement, reader, traffic, write)
    }

    func references(_ interest: RefInterest, agent: String) async throws -> [Reference]? {
        traffic.ask(0)
        if advertisement.isEmpty { return nil }
        return advertisement.references.filter { interest.wants($0.name) }
    }

    func fetch(
        _ fetch: FetchPack, agent: String, _ take: (FetchPackAnswer.Event) async throws -> Void
    ) async throws {
        isAsked = true
        let capabilities = advertisement.capabilities
        guard capabilities.contains("side-band-64k") else {
            throw ProtocolError.unexpected(expected: "a server that has side-band-64k", found: "one that has not")
        }
        var fetch = fetch
        let wants = advertisement.wants(for: fetch.want)
        if wants.isWhole { fetch.depth = 0 }
        let request = fetch.oldRequest(wants.ids, for: capabilities, agent: agent)
        traffic.ask(request.count)
        try await write(request)
        // It tells of them only here when nothing else is asked.
        if !fetch.deepens(capabilities) { for id in advertisement.shallow { try await take(.shallow(id)) } }
        var answer = OldFetchAnswer(deepens: fetch.deepens(capabilities))
        while true {
            guard let event = try answer.take(try await reader.next()) else { continue }
            try await take(event)
            if event == .end { return }
        }
    }

    /// A server that was asked for nothing waits for what is wanted.
    func end() async { if !isAsked { try? await write(PacketLine.encodedFlush) } }
}
