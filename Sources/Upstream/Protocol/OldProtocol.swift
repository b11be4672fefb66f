import Git
import System

/// What a server of the old protocol says at first: all of its references, and with the first of them what it can do
/// (gitprotocol-pack(5), Reference Discovery; gitprotocol-capabilities(5)).
struct OldAdvertisement {
    /// Those that were wanted.
    private(set) var references: [Reference] = []
    private(set) var capabilities: Set<String> = []
    /// What the server itself has without parents: so will those have it that it gives to.
    private(set) var shallow: [ObjectID] = []
    /// Whether there is any reference at all.
    private(set) var isEmpty = true
    private let keeps: @Sendable (String) -> Bool
    private var budget = Budget(256 << 20, of: "references")
    private var isFirst = true
    /// Where names lead that are no more than other names.
    private var symbolic: [String: String] = [:]

    /// - Parameter keeps: which names are wanted: the server tells all of them.
    init(keeping keeps: @escaping @Sendable (String) -> Bool = { _ in true }) { self.keeps = keeps }

    /// - Returns: whether that was its end.
    mutating func take(_ packet: PacketLine) throws(ProtocolError) -> Bool {
        try budget.take(packet)
        guard let text = try packet.text() else {
            guard packet == .flush else {
                throw ProtocolError(expected: "a reference, or the end of them", found: packet.summary)
            }
            return true
        }
        if isFirst, text == "version 1" { return false }
        let line = isFirst ? readCapabilities(text) : text
        isFirst = false
        // Its ids are others, and nothing will be asked of it.
        if objectFormat != "sha1" { return false }
        let fields = line.parts(at: " ", atMost: 2)
        if fields.count == 2, fields[0] == "shallow", let id = ObjectID(hex: fields[1]) {
            guard shallow.count < FetchPackAnswer.mostBoundaries else { throw .tooMuch("shallow commits") }
            shallow.append(id)
            return false
        }
        guard fields.count == 2, let id = ObjectID(hex: fields[0]) else {
            throw ProtocolError(expected: "an id of 40 hexadecimal digits and a name", found: packet.summary)
        }
        try add(String(fields[1]), id)
        return false
    }

    private mutating func add(_ name: String, _ id: ObjectID) throws(ProtocolError) {
        // It stands for no reference at all.
        if name == "capabilities^{}" { return }
        isEmpty = false
        if name.hasSuffix("^{}") {
            guard let last = references.last, last.name == name.dropLast(3) else { return }
            references[references.count - 1] = Reference(
                name: last.name, target: last.target, peeled: id, symbolic: nil)
            return
        }
        guard keeps(name) else { return }
        guard references.count < ListReferences.mostReferences else { throw .tooMuch("references") }
        references.append(Reference(name: name, target: id, peeled: nil, symbolic: symbolic[name]))
    }

    private mutating func readCapabilities(_ text: Substring) -> Substring {
        let parts = text.parts(at: "\0", atMost: 2)
        if parts.count > 1 { capabilities = Set(parts[1].parts(at: " ", leavingOutEmpty: true).map(String.init)) }
        for capability in capabilities where capability.hasPrefix("symref=") {
            let pair = capability.dropFirst("symref=".count).parts(at: ":", atMost: 2)
            if pair.count == 2 { symbolic[String(pair[0])] = String(pair[1]) }
        }
        return parts[0]
    }

    /// What it hashes objects with.
    var objectFormat: String {
        capabilities.first { $0.hasPrefix("object-format=") }
            .map { String($0.dropFirst("object-format=".count)) } ?? "sha1"
    }

    /// What has to be asked for to get a commit: over a stream, such a server gives what it has named. An annotated tag is named
    /// by its own id; and a commit that is not named comes along with a branch, if at all.
    func wants(for commit: ObjectID) -> (ids: [ObjectID], isWhole: Bool) {
        if references.contains(where: { $0.target == commit }) { return ([commit], false) }
        if let tag = references.first(where: { $0.peeled == commit }) { return ([tag.target], false) }
        let allowed = ["allow-tip-sha1-in-want", "allow-reachable-sha1-in-want", "allow-any-sha1-in-want"]
        if !capabilities.isDisjoint(with: allowed) { return ([commit], false) }
        let branches = references.filter { $0.name == "HEAD" || $0.name.hasPrefix("refs/heads/") }.map(\.target)
        return branches.isEmpty ? ([commit], false) : (Array(Set(branches)), true)
    }
}

extension FetchPack {
    /// Whether the answer begins with the commits whose parents will not be here.
    func deepens(_ capabilities: Set<String>) -> Bool {
        capabilities.contains("shallow") && (depth > 0 || !shallow.isEmpty)
    }

    /// The request in the old protocol (gitprotocol-pack(5), Packfile Negotiation): all of it at once, so that the server
    /// answers the first thing here that it knows, or that it knows none.
    ///
    /// - Parameter wants: what stands for the one that is wanted.
    func oldRequest(_ wants: [ObjectID], for capabilities: Set<String>, agent: String) -> [UInt8] {
        var words = ["side-band-64k", "thin-pack", "ofs-delta"].filter(capabilities.contains)
        if capabilities.contains(where: { $0.hasPrefix("agent=") }) { words.append("agent=\(agent)") }
        var bytes: [UInt8] = []
        for (number, id) in wants.enumerated() {
            bytes += PacketLine.encoded("want \(id)\(number == 0 ? " " + words.joined(separator: " ") : "")\n")
        }
        if deepens(capabilities) {
            for id in shallow { bytes += PacketLine.encoded("shallow \(id)\n") }
            bytes += PacketLine.encoded("deepen \(depth > 0 ? depth : Self.infinite)\n")
        }
        bytes += PacketLine.encodedFlush
        for id in haves { bytes += PacketLine.encoded("have \(id)\n") }
        return bytes + PacketLine.encoded("done\n")
    }
}

/// Reads the answer to it.
struct OldFetchAnswer {
    private enum State { case boundaries, acknowledgment, acknowledged, pack }
    private var state: State
    private var boundaries = 0
    private var acknowledgments = 0
    /// More than are ever asked after.
    private static let mostAcknowledgments = 100_000
    /// The pack comes as it does in version 2.
    private var rest = FetchPackAnswer(atPack: true)

    /// - Parameter deepens: whether commits without parents are told of first.
    init(deepens: Bool) { state = deepens ? .boundaries : .acknowledgment }

    mutating func take(_ packet: PacketLine) throws(ProtocolError) -> FetchPackAnswer.Event? {
        switch state {
        case .pack: return try rest.take(packet)
        case .acknowledged:
            // One more for each commit that is no news after the first.
            if let text = try? packet.text(), text.hasPrefix("ACK ") {
                acknowledgments += 1
                guard acknowledgments <= Self.mostAcknowledgments else { throw .tooMuch("acknowledgments") }
                return nil
            }
            state = .pack
            return try rest.take(packet)
        case .boundaries:
            if packet == .flush {
                state = .acknowledgment
                return nil
            }
            boundaries += 1
            guard boundaries <= FetchPackAnswer.mostBoundaries else { throw .tooMuch("shallow commits") }
            return try FetchPackAnswer.boundary(packet)
        case .acknowledgment:
            let text = try packet.text()
            guard text == "NAK" || text?.hasPrefix("ACK ") == true else {
                throw ProtocolError(expected: "ACK or NAK", found: packet.summary)
            }
            state = .acknowledged
            return nil
        }
    }
}
