public import Content
import Git

/// How trees are made and shown.
public struct PublishingOptions: Sendable, Equatable {
    /// `nil` takes what stands on the disk, see `Destination`.
    public var layout: LayoutKind?
    /// What is made of a commit.
    public var recipe: Recipe
    /// Whether somebody has set what becomes of submodules. Where nobody has, what a program published that knew none goes on
    /// without.
    public var setsSubmodules = false
    /// The same of files of Git LFS.
    public var setsLFS = false
    /// What a commit may bring.
    public var limits: Limits
    /// How many seconds a tree that was live is kept for those who are still reading it.
    public var grace: Duration
    /// How many seconds the tree that was live before stays reachable as `previous`; 0 for not at all.
    public var keepPrevious: Duration
    /// How many seconds files that were moved out of the way are kept; 0 for ever.
    public var keepLost: Duration = .seconds(2_592_000)
    /// Beats while a tree is made.
    public var heartbeat = Heartbeat()

    /// The defaults of the contract.
    public init(
        layout: LayoutKind? = nil, recipe: Recipe = Recipe(), limits: Limits = Limits(), grace: Duration = .seconds(2),
        keepPrevious: Duration = .seconds(600)
    ) {
        self.layout = layout
        self.recipe = recipe
        self.limits = limits
        self.grace = grace
        self.keepPrevious = keepPrevious
    }

    /// With what was decided by what is visible.
    func inheriting(from visible: Recipe?) -> PublishingOptions {
        guard let visible else { return self }
        var options = self
        if !setsSubmodules, visible.submodules == nil { options.recipe.submodules = nil }
        if !setsLFS, visible.lfs == nil { options.recipe.lfs = nil }
        return options
    }
}
