import Git
import Platform

extension PublishingOptions {
    /// The options with which a record's tree was made, so that another commit can be shown as this one is; `nil` for a
    /// policy that this version does not write.
    init?(like record: TreeRecord) {
        var times: ModificationTimes?
        var symlinks: SymlinkPolicy?
        var patterns: [Substring: [String]] = [:]
        for field in record.policy.parts(at: " ") {
            let parts = field.parts(at: "=", atMost: 2)
            guard parts.count == 2 else { return nil }
            switch parts[0] {
            case "mtime": times = ModificationTimes(rawValue: String(parts[1]))
            case "symlinks": symlinks = SymlinkPolicy(rawValue: String(parts[1]))
            default: patterns[parts[0]] = parts[1].parts(at: ",").map { PathSelection.decoded($0) }
            }
        }
        guard let times, let symlinks,
            let selection = try? PathSelection(
                include: patterns["include"] ?? [], exclude: patterns["exclude"] ?? [])
        else { return nil }
        self.init(
            subdirectory: record.subdirectory, selection: selection, modificationTimes: times, symlinks: symlinks)
        guard policy == record.policy else { return nil }
    }
}

extension ModificationTimes {
    /// Whether a file that was published may keep its time: a policy can change between two runs.
    func accepts(_ entry: RecordedEntry) -> Bool {
        self == .commit || entry.mtime == time(of: entry.id, commit: 0, now: 0, after: nil) * 1_000_000_000
    }
}
