import Git
import Platform

/// What the command `fetch` asks for (gitprotocol-v2(5), fetch).
struct FetchPack: Sendable, Equatable {
    var want: ObjectID
    /// What else is.
    var more: [ObjectID] = []
    /// Commits that are here with all of their trees.
    var haves: [ObjectID] = []
    /// Commits that are here without their parents.
    var shallow: [ObjectID] = []
    /// How many commits of history; 0 is all of it.
    var depth = 0
    /// Asked of a server that can leave trees and blobs out: the history alone.
    var onlyCommits = false
    /// Asked of the same: nothing that is named by what is wanted.
    var isBare = false

    /// What stands for all of a history (git's own INFINITE_DEPTH): a depth is needed to make a shallow one whole.
    static let infinite = 0x7fff_ffff

    /// The request.
    func command(for server: ServerCapabilities, agent: String) -> [UInt8] {
        var command = ProtocolCommand("fetch", for: server, agent: agent)
        // A history of its own must not build on objects that are elsewhere.
        if !onlyCommits, !isBare { command.add("thin-pack") }
        command.add("ofs-delta")
        for id in [want] + more { command.add("want \(id)") }
        if onlyCommits || isBare { command.add("filter tree:0") }
        if server.has("shallow", of: "fetch"), !onlyCommits {
            for id in shallow { command.add("shallow \(id)") }
            if depth > 0 || !shallow.isEmpty { command.add("deepen \(depth > 0 ? depth : Self.infinite)") }
        }
        for id in haves { command.add("have \(id)") }
        // One round: a server that knows none of these sends everything, and one that knows them what is missing.
        command.add("done")
        command.end()
        return command.bytes
    }
}

/// Reads the answer to `fetch`, a packet at a time.
struct FetchPackAnswer {
    enum Event: Sendable, Equatable {
        /// Its parents will not be here.
        case shallow(ObjectID)
        /// Its parents will be here.
        case unshallow(ObjectID)
        /// More of the pack.
        case pack([UInt8])
        /// What the server says of its work.
        case progress([UInt8])
        case end
    }

    private enum State { case header, acknowledgments, shallowInfo, pack, ended }
    private var state: State
    private var boundaries = 0
    private var budget = Budget(256 << 20, of: "bytes that are not the pack")
    /// Real histories have a few thousand ends.
    static let maxBoundaries = 1_000_000

    /// - Parameter atPack: whether all that precedes the pack has been read.
    init(atPack: Bool = false) { state = atPack ? .pack : .header }

    /// - Returns: what it means; `nil` for nothing yet.
    mutating func take(_ packet: PacketLine) throws(ProtocolError) -> Event? {
        if case .pack = state, case .data(let bytes) = packet, bytes.first == 1, bytes.count > 1 {
            return .pack(Array(bytes.dropFirst()))
        }
        try budget.take(packet)
        switch state {
        case .header: return try header(packet)
        case .acknowledgments: return try acknowledgment(packet)
        case .shallowInfo: return try boundary(packet)
        case .pack: return try band(packet)
        case .ended: throw ProtocolError(expected: "nothing more", found: packet.summary)
        }
    }

    private mutating func header(_ packet: PacketLine) throws(ProtocolError) -> Event? {
        switch try packet.text() {
        case "acknowledgments"?: state = .acknowledgments
        case "shallow-info"?: state = .shallowInfo
        case "packfile"?: state = .pack
        default: throw ProtocolError(expected: "a section of the answer to fetch", found: packet.summary)
        }
        return nil
    }

    /// Not sent after `done`, says the document; harmless where it is.
    private mutating func acknowledgment(_ packet: PacketLine) throws(ProtocolError) -> Event? {
        guard let text = try packet.text() else {
            guard packet == .delimiter else {
                throw ProtocolError(expected: "an acknowledgment, or the pack after them", found: packet.summary)
            }
            state = .header
            return nil
        }
        guard text == "ready" || text == "NAK" || text.hasPrefix("ACK ") else {
            throw ProtocolError(expected: "an acknowledgment", found: packet.summary)
        }
        return nil
    }

    private mutating func boundary(_ packet: PacketLine) throws(ProtocolError) -> Event? {
        if packet == .delimiter {
            state = .header
            return nil
        }
        boundaries += 1
        guard boundaries <= Self.maxBoundaries else { throw .tooMuch("shallow commits") }
        return try Self.boundary(packet)
    }

    /// A commit whose parents will not be here, or will be again.
    static func boundary(_ packet: PacketLine) throws(ProtocolError) -> Event {
        let parts = try packet.text()?.parts(at: " ") ?? []
        guard parts.count == 2, let id = ObjectID(hex: parts[1]), parts[0] == "shallow" || parts[0] == "unshallow"
        else {
            throw ProtocolError(expected: "shallow or unshallow and an id", found: packet.summary)
        }
        return parts[0] == "shallow" ? .shallow(id) : .unshallow(id)
    }

    /// gitprotocol-pack(5), side-band-64k: 1 is the pack, 2 is for people, 3 is fatal.
    private mutating func band(_ packet: PacketLine) throws(ProtocolError) -> Event? {
        guard case .data(let bytes) = packet else {
            guard packet == .flush else {
                throw ProtocolError(expected: "more of the pack, or its end", found: packet.summary)
            }
            state = .ended
            return .end
        }
        switch bytes.first {
        case 1: return nil
        case 2: return .progress(Array(bytes.dropFirst()))
        case 3:
            throw .refused(String(decoding: bytes.dropFirst().prefix(1_000), as: UTF8.self))
        default:
            _ = try packet.text()
            throw ProtocolError(expected: "a band of 1 to 3", found: packet.summary)
        }
    }
}
