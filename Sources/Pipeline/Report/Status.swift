/// What `status.json` holds. Written when something changed; a pass that found nothing only touches the file, so its
/// modification time is the end of the last pass that worked.
public struct Status: Codable, Sendable, Equatable {
    /// What is visible.
    public struct Tree: Codable, Sendable, Equatable {
        public var commit: String
        public var subdirectory: String
        /// RFC 3339, UTC.
        public var since: String
        public var files: Int
        public var bytes: Int64
    }

    /// A failure that goes on.
    public struct Failure: Codable, Sendable, Equatable {
        public var stage: Stage
        public var cause: String
        public var remedy: String
        public var recovery: SyncError.Recovery
        /// Failures in a row.
        public var count: Int
        /// RFC 3339, UTC.
        public var last: String
    }

    /// The version of this layout.
    public var schema = 1
    public var version: String
    public var process: Int32
    public var repository: String
    public var ref: String
    public var destination: String
    public var layout: String
    public var published: Tree?
    public var failure: Failure?
    /// The file's modification time may be so many seconds old before something is wrong with the loop; `nil` before
    /// the first publish and after a single pass, when there is no such time.
    public var freshFor: Double?
}
