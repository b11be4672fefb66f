public import Git

/// What a pass follows: the remote's HEAD, a branch, a tag, any reference, or one commit for ever.
public enum RefSelection: Sendable, Equatable, CustomStringConvertible {
    /// Where the remote's own HEAD points.
    case head
    /// A branch or a tag by its short name, or a reference by its full one.
    case name(String)
    /// All forty digits.
    case commit(ObjectID)

    /// Reads SIDEKICK_REF.
    public init(_ text: String) {
        if text.isEmpty || text == "HEAD" {
            self = .head
        } else if let id = ObjectID(hex: text) {
            self = .commit(id)
        } else {
            self = .name(text)
        }
    }

    /// As it was given.
    public var description: String {
        switch self {
        case .head: "HEAD"
        case .name(let name): name
        case .commit(let id): id.description
        }
    }

    /// What a server has to be asked for.
    var interest: RefInterest {
        switch self {
        case .head: .exactly(["HEAD"])
        case .commit: .exactly([])
        case .name(let name): .exactly(Self.candidates(name))
        }
    }

    private static func candidates(_ name: String) -> [String] {
        name.hasPrefix("refs/") ? [name] : ["refs/heads/\(name)", "refs/tags/\(name)", "refs/\(name)"]
    }

    func resolve(
        address: String, among references: [String: Reference]
    ) throws -> (reference: Reference, warnings: [String]) {
        try resolve(address: address) { references[$0] }
    }

    /// Finds the reference that a name means. As for `git clone --branch`, a branch wins over a tag of the same name.
    ///
    /// - Parameter lookup: finds a reference by its full name.
    /// - Returns: the reference, and a warning when the name is ambiguous.
    func resolve(
        address: String, _ lookup: (String) throws -> Reference?
    ) throws -> (reference: Reference, warnings: [String]) {
        switch self {
        case .head:
            guard let head = try lookup("HEAD") else { throw UpstreamError.noCommits(address: address) }
            return (head, [])
        case .commit(let id):
            return (Reference(name: id.description, target: id, peeled: id), [])
        case .name(let name):
            let found = try Self.candidates(name).compactMap { try lookup($0) }
            guard let first = found.first else { throw UpstreamError.refMissing(ref: name, address: address) }
            guard found.count > 1 else { return (first, []) }
            return (first, ["\(name) is both \(found.map(\.name).joined(separator: " and ")): following \(first.name)"])
        }
    }
}
