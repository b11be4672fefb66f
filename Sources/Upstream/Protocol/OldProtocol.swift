import Git

/// What a server of the old protocol says at first: all of its references, and with the first of them what it can do
/// (gitprotocol-pack(5), Reference Discovery; gitprotocol-capabilities(5)).
struct OldAdvertisement {
    private(set) var references: [Reference] = []
    private(set) var capabilities: Set<String> = []
    private var budget = Budget(256 << 20, of: "references")
    private var isFirst = true

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
        // What the server itself has without parents is its own affair.
        if text.hasPrefix("shallow ") { return false }
        let line = isFirst ? readCapabilities(text) : text
        isFirst = false
        let fields = line.split(separator: " ", maxSplits: 1)
        guard fields.count == 2, let id = ObjectID(hex: fields[0]) else {
            throw ProtocolError(expected: "an id of 40 hexadecimal digits and a name", found: packet.summary)
        }
        let name = String(fields[1])
        // It stands for no reference at all.
        if name == "capabilities^{}" { return false }
        if name.hasSuffix("^{}"), let last = references.indices.last, references[last].name == name.dropLast(3) {
            references[last] = Reference(
                name: references[last].name, target: references[last].target, peeled: id, symbolic: nil)
            return false
        }
        guard references.count < ListReferences.mostReferences else { throw .tooMuch("references") }
        references.append(Reference(name: name, target: id, peeled: nil, symbolic: symbolic[name]))
        return false
    }

    private mutating func readCapabilities(_ text: Substring) -> Substring {
        let parts = text.split(separator: "\0", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count > 1 { capabilities = Set(parts[1].split(separator: " ").map(String.init)) }
        return parts[0]
    }

    /// Where names lead that are no more than other names.
    private var symbolic: [String: String] {
        var targets: [String: String] = [:]
        for capability in capabilities where capability.hasPrefix("symref=") {
            let pair = capability.dropFirst("symref=".count).split(separator: ":", maxSplits: 1)
            if pair.count == 2 { targets[String(pair[0])] = String(pair[1]) }
        }
        return targets
    }

    /// What it hashes objects with.
    var objectFormat: String {
        capabilities.first { $0.hasPrefix("object-format=") }.map { String($0.dropFirst("object-format=".count)) }
            ?? "sha1"
    }
}

extension FetchPack {
    /// Whether the answer begins with the commits whose parents will not be here.
    func deepens(_ capabilities: Set<String>) -> Bool {
        capabilities.contains("shallow") && (depth > 0 || !shallow.isEmpty)
    }

    /// The request in the old protocol (gitprotocol-pack(5), Packfile Negotiation): all of it at once, so that the server
    /// answers the first thing here that it knows, or that it knows none.
    func oldRequest(for capabilities: Set<String>, agent: String) -> [UInt8] {
        var words = ["side-band-64k", "thin-pack", "ofs-delta"].filter(capabilities.contains)
        if capabilities.contains(where: { $0.hasPrefix("agent=") }) { words.append("agent=\(agent)") }
        var bytes = PacketLine.encoded("want \(want) \(words.joined(separator: " "))\n")
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
    private enum State { case boundaries, acknowledgment, pack }
    private var state: State
    private var boundaries = 0
    /// The pack comes as it does in version 2.
    private var rest = FetchPackAnswer(atPack: true)

    /// - Parameter deepens: whether commits without parents are told of first.
    init(deepens: Bool) { state = deepens ? .boundaries : .acknowledgment }

    mutating func take(_ packet: PacketLine) throws(ProtocolError) -> FetchPackAnswer.Event? {
        switch state {
        case .pack: return try rest.take(packet)
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
            state = .pack
            return nil
        }
    }
}
