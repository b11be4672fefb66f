/// What a scripted server sends.
public struct Piece: Sendable {
    fileprivate(set) var bytes: [UInt8]
    fileprivate(set) var times = 1
    fileprivate(set) var step = Int.max
    fileprivate(set) var pause = 0.0

    /// The connection ends here.
    public static let hangUp = Piece(bytes: [], times: 0)

    /// Once, as fast as it is taken.
    public static func bytes(_ bytes: [UInt8]) -> Piece { Piece(bytes: bytes) }
    /// Once, as fast as it is taken.
    public static func text(_ text: String) -> Piece { Piece(bytes: Array(text.utf8)) }
    /// So many times.
    public static func repeated(_ bytes: [UInt8], _ times: Int) -> Piece { Piece(bytes: bytes, times: times) }

    /// Until the client leaves, as fast as it takes them.
    public static func endless(_ bytes: [UInt8]) -> Piece {
        // Not a call for each line.
        let block = Array(repeatElement(bytes, count: max(1, 65_536 / bytes.count)).joined())
        return Piece(bytes: block, times: .max)
    }

    /// Until the client leaves, so many bytes and then a pause of so many seconds.
    public static func dripping(_ bytes: [UInt8], step: Int = 1, every pause: Double) -> Piece {
        Piece(bytes: bytes, times: .max, step: step, pause: pause)
    }

    /// Once, so many bytes and then a pause of so many seconds.
    public static func slowly(_ bytes: [UInt8], step: Int, every pause: Double) -> Piece {
        Piece(bytes: bytes, step: step, pause: pause)
    }
}

/// Lines of git's protocol (gitprotocol-common(5)).
public enum Packet {
    /// The end of a message.
    public static let flush = Array("0000".utf8)
    /// Between its sections.
    public static let delimiter = Array("0001".utf8)

    /// One of up to 65,516 bytes.
    public static func line(_ bytes: [UInt8]) -> [UInt8] {
        let digits = String(bytes.count + 4, radix: 16)
        return Array(String(repeating: "0", count: 4 - digits.count).utf8) + Array(digits.utf8) + bytes
    }

    /// One of text.
    public static func line(_ text: String) -> [UInt8] { line(Array(text.utf8)) }

    /// A pack, in lines of the first band that hold so many bytes of it.
    public static func band(_ pack: [UInt8], size: Int = 65_515) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(pack.count + (pack.count / size + 1) * 5)
        for start in stride(from: 0, to: pack.count, by: size) {
            result += line([1] + pack[start..<min(start + size, pack.count)])
        }
        return result
    }
}

/// Everything that a scripted server says, honest as long as nothing of it is changed.
public struct GitScript: Sendable {
    /// The parts of its answers, in order.
    public enum Stage: Sendable, Hashable {
        /// Of http's first answer, the second and the third: version 0 has no second one.
        case discoveryHead, referencesHead, fetchHead
        /// What precedes all else in the first of them.
        case service
        /// In version 0 the first line has the first reference in it.
        case capabilities
        case references, acknowledgments, boundaries, progress, pack
        /// What follows the pack.
        case end
    }

    /// A name and what it names.
    public struct Reference: Sendable {
        /// Any bytes.
        public var name: [UInt8]
        /// A commit, mostly.
        public var id: RawID
        /// Where it leads, for a symbolic one.
        public var target: [UInt8]?

        /// - Parameter target: where it leads, for a symbolic one.
        public init(_ name: String, _ id: RawID, target: [UInt8]? = nil) {
            (self.name, self.id, self.target) = (Array(name.utf8), id, target)
        }
    }

    /// What it says that there is.
    public var references: [Reference]
    /// What it answers to a fetch.
    public var pack: [UInt8]
    /// Which commits it says will be without parents.
    public var shallow: [RawID] = []
    /// What is sent before a part.
    public var before: [Stage: [Piece]] = [:]
    /// What is sent in place of a part.
    public var instead: [Stage: [Piece]] = [:]
    /// Parts that come in so many bytes at a time, with so many seconds between.
    public var pace: [Stage: (step: Int, pause: Double)] = [:]

    /// A commit that HEAD and main name, and a pack for whoever asks.
    public init(_ commit: RawID, pack: [UInt8]) {
        references = [
            Reference("HEAD", commit, target: Array("refs/heads/main".utf8)), Reference("refs/heads/main", commit),
        ]
        self.pack = pack
    }

    /// A commit and all of it.
    public init(_ commit: RawCommit) throws { self.init(commit.id, pack: try commit.pack()) }

    func pieces(_ stages: [(Stage, [UInt8])]) -> [Piece] {
        stages.flatMap { stage, bytes in
            let honest = pace[stage].map { Piece.slowly(bytes, step: $0.step, every: $0.pause) } ?? .bytes(bytes)
            return (before[stage] ?? []) + (instead[stage] ?? [honest])
        }
    }

    // MARK: version 2

    static let capabilities =
        ["version 2\n", "agent=scripted\n", "ls-refs=unborn\n", "fetch=shallow\n", "object-format=sha1\n"]
        .flatMap { Packet.line($0) } + Packet.flush

    var listing: [UInt8] {
        references.flatMap { reference in
            Packet.line(
                Array("\(reference.id) ".utf8) + reference.name
                    + (reference.target.map { Array(" symref-target:".utf8) + $0 } ?? []) + [10])
        } + Packet.flush
    }

    func answer(deepens: Bool) -> [(Stage, [UInt8])] {
        let tells = deepens && (!shallow.isEmpty || before[.boundaries] != nil || instead[.boundaries] != nil)
        return [
            (.acknowledgments, []),
            (.boundaries, tells ? Packet.line("shallow-info\n") + boundaries + Packet.delimiter : []),
            (.progress, Packet.line("packfile\n")), (.pack, Packet.band(pack)), (.end, Packet.flush),
        ]
    }

    private var boundaries: [UInt8] { shallow.flatMap { Packet.line("shallow \($0)\n") } }

    // MARK: version 0

    var oldAdvertisement: [(Stage, [UInt8])] {
        let words = "thin-pack side-band-64k ofs-delta shallow no-progress object-format=sha1 agent=scripted"
        let symbolic = references.compactMap { reference in
            reference.target.map { Array(" symref=".utf8) + reference.name + [UInt8(ascii: ":")] + $0 }
        }.flatMap(\.self)
        let lines = references.map { Array("\($0.id) ".utf8) + $0.name }
        return [
            (.capabilities, Packet.line(lines[0] + [0] + Array(words.utf8) + symbolic + [10])),
            (.references, lines.dropFirst().flatMap { Packet.line($0 + [10]) } + Packet.flush),
        ]
    }

    func oldAnswer(deepens: Bool) -> [(Stage, [UInt8])] {
        [
            (.boundaries, deepens ? boundaries + Packet.flush : []), (.acknowledgments, Packet.line("NAK\n")),
            (.progress, []), (.pack, Packet.band(pack)), (.end, Packet.flush),
        ]
    }
}
