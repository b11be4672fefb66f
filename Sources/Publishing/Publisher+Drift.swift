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
        noteDrift(findings.drifted)
        return findings.drifted.count
    }

    /// Compares every byte of what is visible with its commit.
    ///
    /// - Returns: one line for each difference; and how many files there are that sidekick did not publish and leaves alone.
    public func verify(in repository: borrowing Repository, repairing: Bool) throws -> Verdict {
        guard let (record, folder) = try visibleTree() else { throw PublishingError.nothingPublished(destination.path) }
        var verdict = Verdict(
            try Verification(record: record, folder: folder).run(in: repository), layout: layout, record: record)
        guard repairing else { return verdict }
        let lostAndFound = LostAndFound(destination, now: Int64(time(nil)))
        for difference in verdict.found where layout != .folder {
            guard case .foreign(let path) = difference else { continue }
            if let parent = try FolderCursor(root: folder).folder(at: path.parent) {
                try lostAndFound.move(path.name, from: parent, path: path)
            }
        }
        verdict.notices = lostAndFound.notices
        noteDrift(verdict.differing)
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
    public var foreignCount: Int { found.count { isHarmless($0) } }

    /// What a repair moved out of the way.
    public internal(set) var notices: [Notice] = []

    let found: [Verification.Difference]
    private let layout: Layout

    init(_ found: [Verification.Difference], layout: Layout, record: TreeRecord) {
        self.found = found
        self.layout = layout
        commit = record.commit
        count = record.count.entries
    }

    /// The paths to make anew.
    var differing: [TreePath] {
        found.compactMap { if case .foreign = $0 { nil } else { $0.path } }
    }

    private func isHarmless(_ difference: Verification.Difference) -> Bool {
        guard layout == .folder, case .foreign = difference else { return false }
        return true
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
            let repository = try Repository(opening: store.path)
            let found = try Verification(record: before.record, folder: folder).run(in: repository)
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
