import Content

extension ModificationTimes {
    /// Whether a file that was published may keep its time: a recipe can change between two runs.
    func accepts(_ entry: RecordedEntry) -> Bool {
        self == .commit || entry.mtime == time(of: entry.content, commit: 0, now: 0, after: nil) * 1_000_000_000
    }
}
