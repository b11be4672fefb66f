public import Git

/// What a pass follows: the remote's HEAD, a branch, a tag, any reference, the highest tag in a range of versions, or one commit
/// for ever.
public enum RefSelection: Sendable, Equatable, CustomStringConvertible {
    /// Where the remote's own HEAD points.
    case head
    /// A branch or a tag by its short name, or a reference by its full one.
    case name(String)
    /// The highest tag in a range, and the range as it was given.
    case versions(VersionRange, String)
    /// All forty digits.
    case commit(ObjectID)

    /// What comes before a range.
    public static let versionPrefix = "semver:"

    /// Reads SIDEKICK_REF; `nil` for a range of versions that is none.
    public init?(reading text: String) {
        if text.isEmpty || text == "HEAD" {
            self = .head
        } else if let id = ObjectID(hex: text) {
            self = .commit(id)
        } else if text.hasPrefix(Self.versionPrefix) {
            guard let range = VersionRange(String(text.dropFirst(Self.versionPrefix.count))) else { return nil }
            self = .versions(range, text)
        } else {
            self = .name(text)
        }
    }

    /// A commit is what it is: there is nothing to ask.
    var fixed: Advertisement? {
        guard case .commit(let id) = self else { return nil }
        return Advertisement(ref: id.description, commit: id)
    }

    /// Which of all names are needed of a server that tells them all. For a commit, those that it may come along with.
    var keeps: @Sendable (String) -> Bool {
        if case .commit = self { return { $0 == "HEAD" || $0.hasPrefix("refs/heads/") || $0.hasPrefix("refs/tags/") } }
        let interest = interest
        return { interest.wants($0) }
    }

    /// As it was given.
    public var description: String {
        switch self {
        case .head: "HEAD"
        case .name(let name): name
        case .versions(_, let text): text
        case .commit(let id): id.description
        }
    }

    /// What a server has to be asked for.
    var interest: RefInterest {
        switch self {
        case .head: .exactly(["HEAD"])
        case .commit: .exactly([])
        case .versions: .below(Self.tags)
        case .name(let name): .exactly(Self.candidates(name))
        }
    }

    private static let tags = "refs/tags/"

    private static func candidates(_ name: String) -> [String] {
        name.hasPrefix("refs/") ? [name] : ["refs/heads/\(name)", "refs/tags/\(name)", "refs/\(name)"]
    }

    /// Finds the reference that a name means. As for `git clone --branch`, a branch wins over a tag of the same name.
    ///
    /// - Parameters:
    ///   - names: the full names of all references, where they are needed.
    ///   - lookup: finds a reference by its full name.
    /// - Returns: the reference, and a warning when the name is ambiguous.
    func resolve(
        address: String, names: () throws -> [String], _ lookup: (String) throws -> Reference?
    ) throws -> (reference: Reference, warnings: [String]) {
        switch self {
        case .head:
            guard let head = try lookup("HEAD") else { throw UpstreamError.noCommits(address: address) }
            return (head, [])
        case .commit(let id):
            return (Reference(name: id.description, target: id, peeled: id), [])
        case .versions(let range, let text):
            guard let highest = Self.highest(of: try names(), in: range), let tag = try lookup(highest) else {
                throw UpstreamError.refMissing(ref: text, address: address)
            }
            return (tag, [])
        case .name(let name):
            let found = try Self.candidates(name).compactMap { try lookup($0) }
            guard let first = found.first else { throw UpstreamError.refMissing(ref: name, address: address) }
            guard found.count > 1 else { return (first, []) }
            return (first, ["\(name) is both \(found.map(\.name).joined(separator: " and ")): following \(first.name)"])
        }
    }

    /// Of two tags of one version, such as `1.0.0` and `v1.0.0`, always the same.
    private static func highest(of names: [String], in range: VersionRange) -> String? {
        let versions = names.compactMap { name -> (SemanticVersion, String)? in
            guard name.hasPrefix(tags), let version = SemanticVersion(name.dropFirst(tags.count)),
                range.accepts(version)
            else { return nil }
            return (version, name)
        }
        return versions.max { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }?.1
    }
}
