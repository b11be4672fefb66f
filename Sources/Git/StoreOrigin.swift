/// Whose commits are in the store: what one server has sent is told to no other one.
public struct StoreOrigin: Hashable, Sendable {
    /// What its references begin with.
    let prefix: String

    /// The repository that is followed.
    public static let followed = StoreOrigin(prefix: "refs/sidekick/")

    private init(prefix: String) { self.prefix = prefix }

    /// A submodule's.
    ///
    /// - Parameter address: where its repository is.
    public init(module address: String) {
        let name = Array(address.utf8).withUnsafeBytes { ObjectID(hashing: $0) }
        prefix = "\(StoreReference.modules)\(name.description.prefix(16))/"
    }

    /// Whether a reference is one of its commits.
    func owns(_ name: ReferenceName) -> Bool {
        guard self == .followed else { return name.hasPrefix(prefix) }
        return name == StoreReference.fetched || StoreReference.published.contains(name)
    }

    /// Where a commit of it is remembered.
    func name(of commit: ObjectID) -> ReferenceName { ReferenceName("\(prefix)\(commit)") }
}
