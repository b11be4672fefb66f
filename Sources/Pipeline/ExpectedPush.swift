import Git

/// A push that a server told of, until its remote shows it: some tell before all of their machines know.
struct ExpectedPush {
    let commit: ObjectID
    /// What the remote named before.
    let before: ObjectID?
    /// Until it is asked again.
    private var pauses: ArraySlice<Duration> = [.seconds(1), .seconds(2), .seconds(4)]

    init(_ commit: ObjectID, before: ObjectID?) { (self.commit, self.before) = (commit, before) }

    /// - Parameter shown: what it names now.
    /// - Returns: the time until it is asked again; `nil` when there is no reason to, any more.
    mutating func pause(after shown: ObjectID?) -> Duration? {
        // Another commit than before may be newer than this one.
        guard shown != commit, shown == before else { return nil }
        return pauses.popFirst()
    }
}
