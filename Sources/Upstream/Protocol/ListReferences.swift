import Git
import System

/// The command `ls-refs`: which references there are, of those that were asked for (gitprotocol-v2(5), ls-refs).
struct ListReferences {
    /// What is wanted: a server may answer with more.
    let interest: RefInterest
    private(set) var references: [Reference] = []
    private var budget = Budget(256 << 20, of: "references")
    /// The branch that HEAD names and that has no commit yet.
    private(set) var unbornHead: String?
    /// What a million tags take.
    static let mostReferences = 1_000_000

    init(_ interest: RefInterest) { self.interest = interest }

    /// The request.
    func command(for server: ServerCapabilities, agent: String) -> [UInt8] {
        var command = ProtocolCommand("ls-refs", for: server, agent: agent)
        command.add("peel")
        command.add("symrefs")
        if server.has("unborn", of: "ls-refs") { command.add("unborn") }
        for prefix in interest.prefixes { command.add("ref-prefix \(prefix)") }
        command.end()
        return command.bytes
    }

    /// Reads the answer.
    ///
    /// - Returns: whether that was its end.
    mutating func take(_ packet: PacketLine) throws(ProtocolError) -> Bool {
        try budget.take(packet)
        guard let text = try packet.text() else {
            guard packet == .flush else {
                throw ProtocolError(expected: "a reference, or the end of them", found: packet.summary)
            }
            return true
        }
        let fields = text.parts(at: " ")
        guard fields.count >= 2, !fields[1].isEmpty else {
            throw ProtocolError(expected: "an id and the name of a reference", found: packet.summary)
        }
        let name = String(fields[1])
        guard interest.wants(name) else { return false }
        let symbolic = Self.value("symref-target:", in: fields).map(String.init)
        if fields[0] == "unborn" {
            if name == "HEAD" { unbornHead = symbolic ?? "" }
            return false
        }
        guard let id = ObjectID(hex: fields[0]) else {
            throw ProtocolError(expected: "an id of 40 hexadecimal digits", found: packet.summary)
        }
        var peeled: ObjectID?
        if let text = Self.value("peeled:", in: fields) {
            guard let id = ObjectID(hex: text) else {
                throw ProtocolError(expected: "a peeled id of 40 hexadecimal digits", found: packet.summary)
            }
            peeled = id
        }
        guard references.count < Self.mostReferences else { throw .tooMuch("references") }
        references.append(Reference(name: name, target: id, peeled: peeled, symbolic: symbolic))
        return false
    }

    private static func value(_ name: String, in fields: [Substring]) -> Substring? {
        fields.dropFirst(2).first { $0.hasPrefix(name) }?.dropFirst(name.count)
    }
}

/// Which references an answer is needed for.
enum RefInterest: Sendable, Equatable {
    case exactly([String])
    /// All below, such as `refs/tags/`.
    case below(String)

    var prefixes: [String] {
        switch self {
        case .exactly(let names): names
        case .below(let prefix): [prefix]
        }
    }

    func wants(_ name: String) -> Bool {
        switch self {
        case .exactly(let names): names.contains(name)
        case .below(let prefix): name.hasPrefix(prefix)
        }
    }
}
