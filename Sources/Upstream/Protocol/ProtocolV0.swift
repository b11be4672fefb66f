import Git
import Platform

/// What a server of the old protocol says at first: all of its references, and with the first of them what it can do
/// (gitprotocol-pack(5), Reference Discovery; gitprotocol-capabilities(5)).
struct V0Advertisement: Sendable {
    /// Those that were wanted.
    private(set) var references: [Reference] = []
    private(set) var capabilities: Set<String> = []
    /// What the server itself has without parents: so will those have it that it gives to.
    private(set) var shallow: [ObjectID] = []
    /// Whether there is any reference at all.
    private(set) var isEmpty = true
    private let keeps: @Sendable (ReferenceName) -> Bool
    private var budget = Budget(256 << 20, of: "references")
    private var isFirst = true
    /// Where names lead that are no more than other names.
    private(set) var symbolic: [ReferenceName: ReferenceName] = [:]

    /// - Parameter keeps: which names are wanted: the server tells all of them.
    init(keeping keeps: @escaping @Sendable (ReferenceName) -> Bool = { _ in true }) { self.keeps = keeps }

    /// - Returns: whether that was its end.
    mutating func take(_ packet: PacketLine) throws(ProtocolError) -> Bool {
        try budget.take(packet)
        guard let text = try packet.line() else {
            guard packet == .flush else {
                throw ProtocolError(expected: "a reference, or the end of them", found: packet.summary)
            }
            return true
        }
        if isFirst, text.elementsEqual("version 1".utf8) { return false }
        let line = isFirst ? readCapabilities(text) : text
        isFirst = false
        // Its ids are others, and nothing will be asked of it.
        if objectFormat != "sha1" { return false }
        let fields = line.split(separator: 32, maxSplits: 1)
        if fields.count == 2, fields[0].elementsEqual("shallow".utf8), let id = ObjectID(hexDigits: fields[1]) {
            guard shallow.count < FetchPackAnswer.maxBoundaries else { throw .tooMuch("shallow commits") }
            shallow.append(id)
            return false
        }
        guard fields.count == 2, let id = ObjectID(hexDigits: fields[0]) else {
            throw ProtocolError(expected: "an id of 40 hexadecimal digits and a name", found: packet.summary)
        }
        try add(fields[1], id)
        return false
    }

    private mutating func add(_ name: ArraySlice<UInt8>, _ id: ObjectID) throws(ProtocolError) {
        // It stands for no reference at all.
        if name.elementsEqual("capabilities^{}".utf8) { return }
        isEmpty = false
        if name.suffix(3).elementsEqual("^{}".utf8) {
            guard let last = references.last, last.name.bytes.elementsEqual(name.dropLast(3)) else { return }
            references[references.count - 1] = Reference(
                name: last.name, target: last.target, peeled: id, symbolic: nil)
            return
        }
        guard let name = ReferenceName(checking: name), keeps(name) else { return }
        guard references.count < ListReferences.maxReferences else { throw .tooMuch("references") }
        references.append(Reference(name: name, target: id, peeled: nil, symbolic: symbolic[name]))
    }

    private mutating func readCapabilities(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let parts = line.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        for word in parts.count > 1 ? parts[1].split(separator: 32) : [] {
            let prefix = "symref=".utf8
            guard word.starts(with: prefix) else {
                capabilities.insert(String(decoding: word, as: UTF8.self))
                continue
            }
            let pair = word.dropFirst(prefix.count).split(separator: UInt8(ascii: ":"), maxSplits: 1)
            if pair.count == 2 { symbolic[ReferenceName(bytes: pair[0])] = ReferenceName(bytes: pair[1]) }
        }
        return parts[0]
    }

    /// What it hashes objects with.
    var objectFormat: String {
        capabilities.first { $0.hasPrefix("object-format=") }
            .map { String($0.dropFirst("object-format=".count)) } ?? "sha1"
    }

    /// What has to be asked for to get a commit: such a server gives what it has named. An annotated tag is named by its own id;
    /// and a commit that is not named comes along with a branch, if at all.
    func wants(for commit: ObjectID) -> (ids: [ObjectID], isWhole: Bool) {
        if references.contains(where: { $0.target == commit }) { return ([commit], false) }
        if let tag = references.first(where: { $0.peeled == commit }) { return ([tag.target], false) }
        let allowed = ["allow-tip-sha1-in-want", "allow-reachable-sha1-in-want", "allow-any-sha1-in-want"]
        if !capabilities.isDisjoint(with: allowed) { return ([commit], false) }
        let branches = references.filter { $0.name == .head || $0.name.hasPrefix("refs/heads/") }.map(\.target)
        return branches.isEmpty ? ([commit], false) : (Array(Set(branches)), true)
    }
}

extension FetchPack {
    /// Whether the answer begins with the commits whose parents will not be here.
    func deepens(_ capabilities: Set<String>) -> Bool {
        capabilities.contains("shallow") && (depth > 0 || !shallow.isEmpty)
    }

    /// The capabilities that are asked for, as git asks for them: some servers refuse who has no `multi_ack`.
    private func oldWords(_ capabilities: Set<String>, agent: String) -> String {
        var words: [String] = []
        for choice in [
            ["multi_ack_detailed", "multi_ack"], ["no-done"], ["side-band-64k", "side-band"], ["thin-pack"],
            ["ofs-delta"],
        ] {
            if let word = choice.first(where: capabilities.contains) { words.append(word) }
        }
        if !words.contains("multi_ack_detailed") { words.removeAll { $0 == "no-done" } }
        if capabilities.contains(where: { $0.hasPrefix("agent=") }) { words.append("agent=\(agent)") }
        return words.joined(separator: " ")
    }

    /// The request in the old protocol (gitprotocol-pack(5), Packfile Negotiation): all of it at once, so that the server
    /// answers the first thing here that it knows, or that it knows none.
    ///
    /// - Parameter wants: what stands for the one that is wanted.
    func v0Request(_ wants: [ObjectID], for capabilities: Set<String>, agent: String) -> [UInt8] {
        let words = oldWords(capabilities, agent: agent)
        var bytes: [UInt8] = []
        for (number, id) in wants.enumerated() {
            bytes += PacketLine.encoded("want \(id)\(number == 0 && !words.isEmpty ? " " + words : "")\n")
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
struct V0FetchAnswer {
    private enum State { case boundaries, acknowledgment, acknowledged, pack }
    private var state: State
    private var boundaries = 0
    private var acknowledgments = 0
    /// More than are ever asked after.
    private static let maxAcknowledgments = 100_000
    /// The pack comes as it does in version 2.
    private var rest = FetchPackAnswer(atPack: true)

    /// - Parameter deepens: whether commits without parents are told of first.
    init(deepens: Bool) { state = deepens ? .boundaries : .acknowledgment }

    mutating func take(_ packet: PacketLine) throws(ProtocolError) -> FetchPackAnswer.Event? {
        switch state {
        case .pack: return try rest.take(packet)
        case .acknowledged:
            // One more for each commit that is known, and one at the end; none, where none is.
            if let text = try? packet.line(), text.starts(with: "ACK ".utf8) || text.elementsEqual("NAK".utf8) {
                acknowledgments += 1
                guard acknowledgments <= Self.maxAcknowledgments else { throw .tooMuch("acknowledgments") }
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
            guard boundaries <= FetchPackAnswer.maxBoundaries else { throw .tooMuch("shallow commits") }
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
