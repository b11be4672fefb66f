/// What `/status` answers: all of `status.json`, and what changes too often to be written to the disk.
public struct LiveStatus: Encodable, Sendable {
    /// As in the file.
    public var status: Status
    /// The pass that goes on.
    public var running: Journal.Running?
    /// RFC 3339, UTC.
    public var lastSuccess: String?
    /// RFC 3339, UTC: at the latest.
    public var nextPass: String?
    /// What the disk holds; `nil` before the first pass.
    public var disk: Disk?
    /// The last passes of this process, the newest first.
    public var attempts: [Attempt]

    /// What the disk holds, in bytes.
    public struct Disk: Encodable, Sendable, Equatable {
        /// Trees, of which the files that do not differ are the same.
        public var trees: Int
        /// The store's.
        public var store: Int
        /// Free where trees are made.
        public var free: Int64?
    }

    private enum Key: String, CodingKey { case running, lastSuccess, nextPass, disk, attempts }

    /// One object.
    public func encode(to encoder: any Encoder) throws {
        var status = status
        status.running = nil
        try status.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(running, forKey: .running)
        try container.encode(lastSuccess, forKey: .lastSuccess)
        try container.encode(nextPass, forKey: .nextPass)
        try container.encodeIfPresent(disk, forKey: .disk)
        try container.encode(attempts, forKey: .attempts)
    }
}
