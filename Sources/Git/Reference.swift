/// A reference by its full name, with what it names.
public struct Reference: Sendable, Hashable {
    /// `HEAD`, `refs/heads/main`, …
    public let name: String
    /// The object that it names: for an annotated tag, the tag object.
    public let target: ObjectID
    /// The commit behind an annotated tag, where the tag says so.
    public let peeled: ObjectID?
    /// For a symbolic reference, the reference that it points to.
    public let symbolic: String?

    /// Makes a reference of its parts.
    public init(name: String, target: ObjectID, peeled: ObjectID? = nil, symbolic: String? = nil) {
        self.name = name
        self.target = target
        self.peeled = peeled
        self.symbolic = symbolic
    }
}
