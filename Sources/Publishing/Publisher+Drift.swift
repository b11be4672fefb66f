public import Git
import Glibc

extension Publisher {
    /// Looks for what somebody else changed, by a walk of `lstat`. What drifted is made anew by the next pass, which has
    /// something to publish for as long as it did not; what only looks changed is noted, and left as it is.
    ///
    /// - Returns: how many paths drifted.
    public func survey() throws -> Int {
        // What an update that was given up left is neither commit, and is known as that (its root is 0): the next one decides.
        guard let (record, folder) = try visibleTree(), record.root != 0 else { return 0 }
        let findings = try Survey(record: record, folder: folder, modificationTimes: options.modificationTimes).run()
        let root = try folder.status.inode
        if !findings.corrected.isEmpty || record.root != root {
            var corrected = record
            corrected.root = root
            corrected.apply(findings.corrected.mapValues { $0 })
            try rewriteRecord(corrected)
        }
        try noteDrift(findings.drifted)
        return findings.drifted.count
    }

    /// Compares every byte of what is visible with its commit. Changes nothing, and can be cancelled between any two entries: it
    /// may run beside passes, on an executor of its own.
    ///
    /// - Throws: `CancellationError`, `PublishingError` for a commit beyond the limits.
    public func compare(in repository: borrowing Repository) throws -> Verdict {
        guard let (record, folder) = try visibleTree() else { throw PublishingError.nothingPublished(destination.path) }
        let found = try Verification(record: record, folder: folder, limits: options.limits).run(in: repository)
        return Verdict(found, layout: layout, record: record)
    }

    /// Takes note of what a comparison found, so that the next pass makes it anew, and moves what nobody published out of the way
    /// where the tree is ours.
    ///
    /// - Returns: `nil` when something else is visible by now, and nothing was done.
    public func repair(_ verdict: Verdict) throws -> Verdict? {
        guard let (record, folder) = try visibleTree(), record.commit == verdict.commit,
            record.published == verdict.published, record.root == verdict.root
        else { return nil }
        var verdict = verdict
        let lostAndFound = LostAndFound(destination, now: Int64(time(nil)))
        for difference in verdict.found where layout != .folder {
            switch difference {
            case .foreign(let path):
                if let parent = try FolderCursor(root: folder).folder(at: path.parent) {
                    try lostAndFound.move(path.name, from: parent, path: path)
                }
            case .folderMode(let path):
                try FolderCursor(root: folder).folder(at: path)?.setMode(Verification.folderMode)
            default: continue
            }
        }
        verdict.notices = lostAndFound.notices
        try noteDrift(verdict.differing, isHidden: true)
        return verdict
    }
}

/// What a comparison of every byte found.
public struct Verdict: Sendable {
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
    private let layout: Layout

    init(_ found: [Verification.Difference], layout: Layout, record: TreeRecord) {
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
        case .foreign: layout == .folder
        case .missing, .changed, .mode, .folderMode, .unrecorded: false
        }
    }
}

extension Destination {
    /// The options with which what is visible was made; `nil` when nothing of ours is.
    public func publishedOptions() throws -> PublishingOptions? {
        let (layout, visible) = try visibleRecord()
        var options = visible.flatMap { PublishingOptions(like: $0.record) }
        options?.layout = layout
        return options
    }

    /// Compares what is visible with its commit, without owning it: when an update comes in between, once more.
    public func verify() throws -> Verdict {
        for attempt in 1... {
            let (layout, before) = try visibleRecord()
            guard let before else { throw PublishingError.nothingPublished(path) }
            let folder = try Directory(opening: layout == .link ? home + "/trees/" + before.name : path)
            let repository = try store.open()
            let found = try Verification(record: before.record, folder: folder, limits: Limits()).run(in: repository)
            let after = try visibleRecord().1
            if after?.record.commit == before.record.commit, after?.record.published == before.record.published {
                return Verdict(found, layout: layout, record: before.record)
            }
            if attempt == 10 { break }
        }
        throw PublishingError.destinationBusy(path: path, owner: "")
    }

    private func visibleRecord() throws -> (Layout, (name: String, record: TreeRecord)?) {
        let pool = TreePool(self)
        switch try standing(in: pool) {
        case .linkedTree(let name): return (.link, try pool.record(of: name).map { (name, $0) })
        case .exchangedTree(let name): return (.exchange, try pool.record(of: name).map { (name, $0) })
        case .publishedFolder(let record): return (.folder, ("", record))
        case .nothing, .lostTree, .foreignLink, .foreignFolder, .file: return (.link, nil)
        }
    }
}
