import Git

/// The command `ls-refs`: which references there are, of those that were asked for (gitprotocol-v2(5), ls-refs).
struct ListReferences {
    /// What is wanted: a server may answer with more.
    let interest: RefInterest
    private(set) var references: [Reference] = []
    private var budget = Budget(256 << 20, of: "references")
    /// The branch that HEAD names and that has no commit yet, where it says so.
    private(set) var unbornHead: ReferenceName??
    /// What a million tags take.
    static let maxReferences = 1_000_000

    init(_ interest: RefInterest) { self.interest = interest }

    /// The request.
    func command(for server: ServerCapabilities, agent: String) -> [UInt8] {
        var command = ProtocolCommand("ls-refs", for: server, agent: agent)
        command.add("peel")
        command.add("symrefs")
        if server.has("unborn", of: "ls-refs") { command.add("unborn") }
        for prefix in interest.prefixes { command.add("ref-prefix ", prefix.bytes) }
        command.end()
        return command.bytes
    }

    /// Reads the answer.
    ///
    /// - Returns: whether that was its end.
    mutating func take(_ packet: PacketLine) throws(ProtocolError) -> Bool {
        try budget.take(packet)
        guard let line = try packet.line() else {
            guard packet == .flush else {
                throw ProtocolError(expected: "a reference, or the end of them", found: packet.summary)
            }
            return true
        }
        let fields = line.split(separator: 32, omittingEmptySubsequences: false)
        guard fields.count >= 2, !fields[1].isEmpty else {
            throw ProtocolError(expected: "an id and the name of a reference", found: packet.summary)
        }
        // One that git does not allow is nobody's: git leaves it out as well.
        guard let name = ReferenceName(checking: fields[1]), interest.wants(name) else { return false }
        let symbolic = Self.value("symref-target:", in: fields).map { ReferenceName(bytes: $0) }
        if fields[0].elementsEqual("unborn".utf8) {
            if name == .head { unbornHead = .some(symbolic) }
            return false
        }
        guard let id = ObjectID(hexDigits: fields[0]) else {
            throw ProtocolError(expected: "an id of 40 hexadecimal digits", found: packet.summary)
        }
        var peeled: ObjectID?
        if let digits = Self.value("peeled:", in: fields) {
            guard let id = ObjectID(hexDigits: digits) else {
                throw ProtocolError(expected: "a peeled id of 40 hexadecimal digits", found: packet.summary)
            }
            peeled = id
        }
        guard references.count < Self.maxReferences else { throw .tooMuch("references") }
        references.append(Reference(name: name, target: id, peeled: peeled, symbolic: symbolic))
        return false
    }

    private static func value(_ name: String, in fields: [ArraySlice<UInt8>]) -> ArraySlice<UInt8>? {
        fields.dropFirst(2).first { $0.starts(with: name.utf8) }?.dropFirst(name.utf8.count)
    }
}

/// Which references an answer is needed for.
enum RefInterest: Sendable, Equatable {
    case exactly([ReferenceName])
    /// All below, such as `refs/tags/`.
    case below(String)

    var prefixes: [ReferenceName] {
        switch self {
        case .exactly(let names): names
        case .below(let prefix): [ReferenceName(prefix)]
        }
    }

    func wants(_ name: ReferenceName) -> Bool {
        switch self {
        case .exactly(let names): names.contains(name)
        case .below(let prefix): name.hasPrefix(prefix)
        }
    }
}
