/// What a server says was pushed.
public struct Push: Sendable, Equatable {
    /// The full name of the reference.
    public var ref: String
    /// What it names now; `nil` where that is not told, and where it is gone.
    public var commit: String?
    /// The short name of the server's default branch, where that is told.
    public var defaultBranch: String?

    /// Makes one.
    public init(ref: String, commit: String?, defaultBranch: String? = nil) {
        (self.ref, self.commit, self.defaultBranch) = (ref, commit, defaultBranch)
    }
}
