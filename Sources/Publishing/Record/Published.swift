public import Git

/// What is visible at DESTINATION.
public struct Published: Sendable, Equatable {
    /// The commit.
    public let commit: ObjectID
    /// The folder of it that is shown; empty for all of it.
    public let subdirectory: String
    /// How its files were made.
    let policy: String
    /// Seconds since 1970.
    public let since: Int64
    /// Files that are shown.
    public let files: Int
    /// Their bytes.
    public let bytes: Int64

    init(_ record: TreeRecord) {
        commit = record.commit
        subdirectory = record.subdirectory
        policy = record.policy
        since = record.published
        files = record.count.files
        bytes = record.count.bytes
    }
}

/// What was visible at some time: enough to tell how another tree differs from it.
public struct PublishedName: Sendable, Codable, Hashable {
    /// All forty digits.
    public var commit: String
    /// The subdirectory and the way in which its files were made.
    public var variant: String
}

extension Published {
    /// What tells it from everything else that may be published. What was mended has the name that it had.
    public var name: PublishedName { PublishedName(commit: "\(commit)", variant: "\(subdirectory) \(policy)") }
}
