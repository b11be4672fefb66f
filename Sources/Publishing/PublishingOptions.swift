public import Git
import Platform

/// How trees are made and shown.
public struct PublishingOptions: Sendable, Equatable {
    /// `nil` takes what stands on the disk, see `Destination`.
    public var layout: Layout?
    /// The folder of the commit that is published.
    public var subdirectory: String
    /// Which paths of it are.
    public var selection: PathSelection
    /// Which time files get.
    public var modificationTimes: ModificationTimes
    /// What happens to links that lead out.
    public var symlinks: SymlinkPolicy
    /// What a commit may bring.
    public var limits: Limits
    /// How many seconds a tree that was live is kept for those who are still reading it.
    public var grace: Double
    /// How many seconds the tree that was live before stays reachable as `previous`; 0 for not at all.
    public var keepPrevious: Double
    /// How many seconds files that were moved out of the way are kept; 0 for ever.
    public var keepLost: Double = 2_592_000
    /// Beats while a tree is made.
    public var heartbeat = Heartbeat()

    /// What shows in the tree, beside the commit and the subdirectory.
    var policy: String {
        let files = "mtime=\(modificationTimes) symlinks=\(symlinks)"
        return selection == .everything ? files : "\(files) \(selection)"
    }

    /// The defaults of the contract.
    public init(
        layout: Layout? = nil, subdirectory: String = "", selection: PathSelection = .everything,
        modificationTimes: ModificationTimes = .commit, symlinks: SymlinkPolicy = .skip, limits: Limits = Limits(),
        grace: Double = 2, keepPrevious: Double = 600
    ) {
        self.layout = layout
        self.subdirectory = subdirectory
        self.selection = selection
        self.modificationTimes = modificationTimes
        self.symlinks = symlinks
        self.limits = limits
        self.grace = grace
        self.keepPrevious = keepPrevious
    }
}

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

/// A tree that is complete on the disk where nobody sees it yet.
public struct StagedTree: Sendable {
    let record: TreeRecord
    let place: Place
    /// New files.
    public let filesWritten: Int
    /// Their bytes.
    public let bytesWritten: Int64
    /// Paths that the new tree does not have.
    public let filesRemoved: Int
    /// What a person should know.
    public internal(set) var notices: [Notice] = []
    /// The paths of what was visible that were known to have drifted when this was made, and that it has anew.
    var mended: [TreePath] = []

    enum Place: Sendable {
        /// A complete tree, by its name in `trees`.
        case tree(String)
        /// Files in a folder of `staging`, and what to do with them.
        case burst(Intent)
    }

    init(record: TreeRecord, place: Place, _ output: TreeBuild.Output, removed: Int) {
        self.record = record
        self.place = place
        filesWritten = output.filesWritten
        bytesWritten = output.bytesWritten
        filesRemoved = removed
        if output.lfsPointers > 0 { notices.append(.lfsPointers(count: output.lfsPointers)) }
        notices += output.drifted.map { .drifted(path: $0) }
    }
}
