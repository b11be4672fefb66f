public import Git

/// What a comparison of every byte found.
public struct VerificationResult: Sendable {
    /// The commit that was compared with.
    public let commit: ObjectID
    /// How many paths the commit has there.
    public let count: Int
    /// One line for each path that differs.
    public var differences: [String] { found.filter { !isHarmless($0) }.map(\.description) }
    /// Files in the layout `folder` that sidekick did not publish, and leaves alone.
    public var foreignCount: Int { found.count { if case .foreign = $0 { isHarmless($0) } else { false } } }
    /// One line for each place that could not be looked into.
    public var unreadable: [String] {
        found.filter { if case .unreadable = $0 { true } else { false } }.map(\.description)
    }

    /// What a repair moved out of the way.
    public internal(set) var notices: [Notice] = []

    let found: [Verification.Difference]
    /// When what was compared was made visible.
    let published: Int64
    /// The inode of its folder: in one second it can be made visible more than once.
    let root: UInt64
    private let layout: LayoutKind

    init(_ found: [Verification.Difference], layout: LayoutKind, record: TreeRecord) {
        self.found = found
        self.layout = layout
        commit = record.commit
        published = record.published
        root = record.root
        count = record.count.entries
    }

    /// The paths to make anew.
    var differing: [TreePath] {
        found.compactMap { difference in
            switch difference {
            case .foreign, .unreadable, .folderMode: nil
            case .missing, .changed, .mode, .unrecorded: difference.path
            }
        }
    }

    private func isHarmless(_ difference: Verification.Difference) -> Bool {
        switch difference {
        case .unreadable: true
        case .foreign: !layout.isAlone
        case .missing, .changed, .mode, .folderMode, .unrecorded: false
        }
    }
}
