import Platform

/// What a server says it can do (gitprotocol-v2(5), Capability Advertisement).
struct ServerCapabilities: Sendable, Equatable {
    /// The values of each, by its name.
    private var features: [String: Set<String>] = [:]

    /// Whether it takes this command or capability at all.
    func has(_ name: String) -> Bool { features[name] != nil }
    /// Whether a command takes this feature.
    func has(_ feature: String, of command: String) -> Bool { features[command]?.contains(feature) == true }

    /// What it hashes objects with.
    var objectFormat: String { features["object-format"]?.first ?? "sha1" }

    fileprivate mutating func add(_ line: Substring) {
        let parts = line.parts(at: "=", atMost: 2)
        guard let name = parts.first else { return }
        let values = parts.count > 1 ? parts[1].parts(at: " ", leavingOutEmpty: true).map(String.init) : []
        features[String(name), default: []].formUnion(values)
    }
}

/// Reads the first thing that a server sends.
struct CapabilityReader {
    enum Greeting: Equatable {
        case version2(ServerCapabilities)
        /// Version 0 or 1: references follow, and are not read here.
        case old
    }

    private enum State { case start, afterService, afterFlush, capabilities(ServerCapabilities, lines: Int) }
    private var state = State.start
    private var budget = Budget(1 << 20, of: "capabilities")
    /// git has a dozen.
    static let maxLines = 1_000

    /// - Returns: the greeting, when that was its end.
    mutating func take(_ packet: PacketLine) throws(ProtocolError) -> Greeting? {
        try budget.take(packet)
        let text = try packet.text()
        switch (state, text) {
        case (.start, "# service=git-upload-pack"?):
            // Over http, before what is the same everywhere else; git's own server leaves it out in version 2.
            state = .afterService
        case (.afterService, nil) where packet == .flush: state = .afterFlush
        // A repository without references, in a version that has nothing to say of itself then.
        case (.start, nil) where packet == .flush, (.afterFlush, nil) where packet == .flush: return .old
        case (.start, "version 2"?), (.afterService, "version 2"?), (.afterFlush, "version 2"?):
            state = .capabilities(ServerCapabilities(), lines: 0)
        case (.start, let text?), (.afterService, let text?), (.afterFlush, let text?):
            guard text == "version 1" || Self.isReference(text) else {
                throw ProtocolError(expected: "a git server's greeting", found: packet.summary)
            }
            return .old
        case (.capabilities(var capabilities, let lines), let text?):
            guard lines < Self.maxLines else { throw .tooMuch("capabilities") }
            capabilities.add(text)
            state = .capabilities(capabilities, lines: lines + 1)
        case (.capabilities(let capabilities, _), nil) where packet == .flush:
            return .version2(capabilities)
        default: throw ProtocolError(expected: "a git server's greeting", found: packet.summary)
        }
        return nil
    }

    /// A line of version 0: an id, a space, a name.
    private static func isReference(_ text: Substring) -> Bool {
        let id = text.prefix { $0 != " " }
        return (id.utf8.count == 40 || id.utf8.count == 64) && id.allSatisfy(\.isHexDigit)
            && id.endIndex < text.endIndex
    }
}

/// A command of version 2 as it is sent: its capabilities, then its arguments.
struct ProtocolCommand {
    private(set) var bytes: [UInt8]

    init(_ name: String, for server: ServerCapabilities, agent: String) {
        bytes = PacketLine.encoded("command=\(name)\n")
        if server.has("agent") { bytes += PacketLine.encoded("agent=\(agent)\n") }
        if server.has("object-format") { bytes += PacketLine.encoded("object-format=sha1\n") }
        bytes += PacketLine.encodedDelimiter
    }

    mutating func add(_ argument: String, _ rest: [UInt8] = []) {
        bytes += PacketLine.encoded(Array(argument.utf8) + rest + [10])
    }
    mutating func end() { bytes += PacketLine.encodedFlush }
}
