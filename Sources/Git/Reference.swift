/// A reference by its full name, with what it names.
public struct Reference: Sendable, Hashable {
    /// `HEAD`, `refs/heads/main`, …
    public let name: ReferenceName
    /// The object that it names: for an annotated tag, the tag object.
    public let target: ObjectID
    /// The commit behind an annotated tag, where the tag says so.
    public let peeled: ObjectID?
    /// For a symbolic reference, the reference that it points to. Not checked.
    public let symbolic: ReferenceName?

    /// Makes a reference of its parts.
    public init(name: ReferenceName, target: ObjectID, peeled: ObjectID? = nil, symbolic: ReferenceName? = nil) {
        self.name = name
        self.target = target
        self.peeled = peeled
        self.symbolic = symbolic
    }
}

/// The references of a store of ours.
public enum StoreReference {
    /// The commit that was fetched last and proven to make a tree.
    public static let fetched: ReferenceName = "refs/sidekick/fetched"
    /// The published commit and the two before it, newest first.
    static let published: [ReferenceName] = (0..<3).map { ReferenceName("refs/sidekick/published/\($0)") }
    /// What all of them begin with.
    static let prefix = "refs/sidekick/"
    /// What was made of commits and their submodules.
    private static let composites = "refs/sidekick/composite/"
    /// Commits of which one folder is here alone.
    static let outlines = "refs/sidekick/folder/"
    /// Commits of submodules, a folder for each repository.
    static let modules = "refs/sidekick/modules/"

    /// - Parameter recipe: a name of hexadecimal digits.
    static func composite(of commit: ObjectID, recipe: String) -> ReferenceName {
        ReferenceName("\(composites)\(commit)-\(recipe)")
    }

    static func outline(of commit: ObjectID) -> ReferenceName { ReferenceName("\(outlines)\(commit)") }

    /// The commit that a composite was made of; `nil` for another name.
    static func commit(ofComposite name: ReferenceName) -> ObjectID? {
        name.hasPrefix(composites) ? ObjectID(hexDigits: name.dropping(composites).prefix(40)) : nil
    }
}
