/// How much a push may bring. Counting stops at the bound, so a bomb costs no more than the bound.
public struct Limits: Sendable, Equatable {
    /// Files, links, submodules; and as many folders.
    public var files: Int
    /// Bytes of all files together.
    public var size: Int64
    /// Bytes of one file: it is in memory while it is written.
    public var blob: Int64
    /// Folders inside each other.
    public var depth: Int
    /// Bytes of all paths together: a million of 256 each. Folders that name each other make gigabytes of a few kilobytes.
    var paths: Int

    /// Components of the targets of all links together: two for each file.
    var linkSteps: Int { 2 * min(max(files, 0), 1 << 40) + 100_000 }

    /// The defaults of the contract.
    public init(files: Int = 1_000_000, size: Int64 = 10_000_000_000, blob: Int64 = 512_000_000, depth: Int = 256) {
        self.files = files
        self.size = size
        self.blob = blob
        self.depth = depth
        paths = 256 * min(max(files, 4_096), 1 << 20)
    }
}
