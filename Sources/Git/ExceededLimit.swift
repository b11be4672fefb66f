/// What is larger than it may be.
public struct ExceededLimit: Sendable, Equatable {
    /// Which of the limits.
    public enum Kind: Sendable { case blob, tree, objects, memory }
    /// Which of the limits.
    public let kind: Kind
    /// What it is, for people.
    public let what: String
    /// What there is, or was asked for.
    public let found: Int
    /// What is allowed.
    public let allowed: Int
}
