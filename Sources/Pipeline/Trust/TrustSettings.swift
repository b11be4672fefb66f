/// Whose commits are published.
public struct TrustSettings: Sendable, Equatable {
    /// What has to be signed.
    public enum Verification: String, Sendable, CaseIterable { case off, commit, tag, both }

    /// What has to be signed; not `off`.
    public var verification: Verification
    /// The file of trusted keys, read at every pass that brings a commit.
    public var keysFile: String

    /// Whether the object of an annotated tag is needed.
    var needsTag: Bool { verification == .tag || verification == .both }
    var needsCommit: Bool { verification == .commit || verification == .both }
}
