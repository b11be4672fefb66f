/// How trees are made and shown.
public struct PublishingOptions: Sendable, Equatable {
    /// `nil` takes what stands on the disk, see `Destination`.
    public var layout: LayoutKind?
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
        layout: LayoutKind? = nil, subdirectory: String = "", selection: PathSelection = .everything,
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
