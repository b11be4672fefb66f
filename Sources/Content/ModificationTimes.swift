/// Which modification time a file gets. A web server makes its ETag of this and the size, so it must change with the
/// bytes, and must not change without.
public enum ModificationTimes: String, Codable, Sendable, CaseIterable {
    /// The commit's time.
    case commit
    /// A function of the bytes: the same on every replica, whatever its history.
    case content

    /// Seconds since 1970 for new bytes at a path.
    ///
    /// - Parameters:
    ///   - commit: the commit's time by its author's clock, which may be absurd.
    ///   - now: the time of this machine.
    ///   - replaced: the time of what stood at the path before with other bytes, or of the youngest file that was ever
    ///     removed when nothing stood there: a path must never show other bytes under a time that it had before.
    public func time(of content: ContentID, commit: Int64, now: Int64, after replaced: Int64?) -> Int64 {
        switch self {
        case .content:
            // 2001-01-01, as nothing may be before 1970 (nginx makes a broken ETag of it), plus up to 17 years.
            978_307_200 + Int64(content.prefix >> 35)
        case .commit:
            max(min(max(commit, 1), max(now, 1)), (replaced ?? 0) + 1)
        }
    }
}
