public import Content
public import Git

/// What is visible at DESTINATION.
public struct Published: Sendable, Equatable {
    /// The commit, and what was made of it.
    public let revision: Revision
    /// The tree of the folder that is shown.
    let tree: ObjectID
    /// Seconds since 1970.
    public let since: Int64
    /// Files of the commit that are shown.
    public let files: Int
    /// Their bytes.
    public let bytes: Int64
    /// Files of Git LFS among them.
    public let lfsObjects: Int
    /// Their bytes.
    public let lfsBytes: Int64
    /// Compressed files that stand beside those of the commit.
    public let compressedFiles: Int
    /// Their bytes.
    public let compressedBytes: Int64

    init(_ record: TreeRecord) {
        revision = record.revision
        tree = record.tree
        since = record.published
        files = record.count.files - record.count.compressed
        bytes = record.count.bytes - record.count.compressedBytes
        compressedFiles = record.count.compressed
        compressedBytes = record.count.compressedBytes
        lfsObjects = record.count.objects
        lfsBytes = record.count.objectBytes
    }
}

/// What was visible at some time: enough to tell how another tree differs from it.
public struct PublishedName: Sendable, Codable, Hashable {
    /// All forty digits.
    public var commit: String
    /// The name of the recipe.
    public var variant: String
}

extension Published {
    /// What tells it from everything else that may be published. What was mended has the name that it had.
    public var name: PublishedName { PublishedName(commit: "\(commit)", variant: revision.recipe.name) }

    /// The commit.
    public var commit: ObjectID { revision.commit }
}
