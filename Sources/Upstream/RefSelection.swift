public import Git

/// What a pass follows: the remote's HEAD, a branch, a tag, any reference, the highest tag in a range of versions, or one commit
/// for ever.
public enum RefSelection: Sendable, Equatable, CustomStringConvertible {
    /// Where the remote's own HEAD points.
    case head
    /// A branch or a tag by its short name, or a reference by its full one.
    case name(ReferenceName)
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
            self = .name(ReferenceName(text))
        }
    }

    /// A commit is what it is: there is nothing to ask.
    var fixed: Advertisement? {
        guard case .commit(let id) = self else { return nil }
        return Advertisement(ref: ReferenceName(id.description), commit: id)
    }

    /// Which of all names are needed of a server that tells them all. For a commit, those that it may come along with.
    var keeps: @Sendable (ReferenceName) -> Bool {
        if case .commit = self { return { $0 == .head || $0.hasPrefix("refs/heads/") || $0.hasPrefix("refs/tags/") } }
        let interest = interest
        return { interest.wants($0) }
    }

    /// As it was given.
    public var description: String {
        switch self {
        case .head: "HEAD"
        case .name(let name): name.text
        case .versions(_, let text): text
        case .commit(let id): id.description
        }
    }

    /// What a server has to be asked for.
    var interest: RefInterest {
        switch self {
        case .head: .exactly([.head])
        case .commit: .exactly([])
        case .versions: .below(Self.tags)
        case .name(let name): .exactly(Self.candidates(name))
        }
    }

    private static let tags = "refs/tags/"

    private static func candidates(_ name: ReferenceName) -> [ReferenceName] {
        name.hasPrefix("refs/")
            ? [name] : ["refs/heads/", "refs/tags/", "refs/"].map { ReferenceName(bytes: Array($0.utf8) + name.bytes) }
    }

    /// Finds the reference that a name means. As for `git clone --branch`, a branch wins over a tag of the same name.
    ///
    /// - Parameters:
    ///   - names: the full names of all references, where they are needed.
    ///   - lookup: finds a reference by its full name.
    /// - Returns: the reference, and a warning when the name is ambiguous.
    func resolve(
        address: String, names: () throws -> [ReferenceName], _ lookup: (ReferenceName) throws -> Reference?
    ) throws -> (reference: Reference, warnings: [String]) {
        switch self {
        case .head:
            guard let head = try lookup(.head) else { throw UpstreamError.noCommits(address: address) }
            return (head, [])
        case .commit(let id):
            return (Reference(name: ReferenceName(id.description), target: id, peeled: id), [])
        case .versions(let range, let text):
            guard let highest = Self.highest(of: try names(), in: range), let tag = try lookup(highest) else {
                throw UpstreamError.refMissing(ref: text, address: address)
            }
            return (tag, [])
        case .name(let name):
            let found = try Self.candidates(name).compactMap { try lookup($0) }
            guard let first = found.first else { throw UpstreamError.refMissing(ref: name.text, address: address) }
            guard found.count > 1 else { return (first, []) }
            return (
                first,
                ["\(name) is both \(found.map(\.name.description).joined(separator: " and ")): following \(first.name)"]
            )
        }
    }

    /// Finds the reference, and what is to be published of it.
    ///
    /// - Parameter commit: the commit that a reference leads to.
    func advertisement(
        address: String, names: () throws -> [ReferenceName], _ lookup: (ReferenceName) throws -> Reference?,
        commit: (Reference) throws -> ObjectID
    ) throws -> Advertisement {
        let (reference, warnings) = try resolve(address: address, names: names, lookup)
        // It goes into logs, metrics and the environment of hooks.
        if let target = reference.symbolic, !(target.isAllowed && target.hasPrefix("refs/")) {
            throw UpstreamError.serverFailed(
                address: address,
                reason: "\(reference.name) leads to what git does not allow as the name of a reference, \(target)")
        }
        let commit = try commit(reference)
        return Advertisement(
            ref: reference.symbolic ?? reference.name, commit: commit,
            tag: reference.target == commit ? nil : reference.target, warnings: warnings)
    }

    /// Of two tags of one version, such as `1.0.0` and `v1.0.0`, always the same.
    private static func highest(of names: [ReferenceName], in range: VersionRange) -> ReferenceName? {
        let versions = names.compactMap { name -> (SemanticVersion, ReferenceName)? in
            guard name.hasPrefix(tags),
                let version = SemanticVersion(String(decoding: name.dropping(tags), as: UTF8.self)),
                range.accepts(version)
            else { return nil }
            return (version, name)
        }
        return versions.max { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }?.1
    }
}
