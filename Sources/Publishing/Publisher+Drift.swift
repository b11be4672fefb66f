import Content
public import Git
import Glibc

extension Publisher {
    /// Looks for what somebody else changed, by a walk of `lstat`. What drifted is made anew by the next pass, which has
    /// something to publish for as long as it did not; what only looks changed is noted, and left as it is.
    ///
    /// - Returns: how many paths drifted.
    public func survey() throws -> Int { try whileShowing { try lookForDrift() } }

    private func lookForDrift() throws -> Int {
        // What an update that was given up left is neither commit, and is known as that (its root is 0): the next one decides.
        guard let visible = try layout.visible(), visible.record.root != 0 else { return 0 }
        let (record, folder) = (visible.record, visible.folder)
        let findings = try Survey(record: record, folder: folder, modificationTimes: options.recipe.modificationTimes)
            .run()
        let root = try folder.status.inode
        if !findings.corrected.isEmpty || record.root != root {
            var corrected = record
            corrected.root = root
            corrected.apply(findings.corrected.mapValues { $0 })
            try rewriteRecord(corrected)
        }
        try drift.note(findings.drifted)
        return findings.drifted.count
    }

    /// Compares every byte of what is visible with its commit. Changes nothing, and can be cancelled between any two entries: it
    /// may run beside passes, on an executor of its own.
    ///
    /// - Throws: `CancellationError`, `PublishingError` for a commit beyond the limits.
    public func compare(in repository: borrowing Repository) throws -> VerificationResult {
        guard let visible = try layout.visible() else { throw PublishingError.nothingPublished(destination.path) }
        return try visible.compared(in: repository, limits: options.limits)
    }

    /// Takes note of what a comparison found, so that the next pass makes it anew, and moves what nobody published out of the way
    /// where the tree is ours.
    ///
    /// - Returns: `nil` when something else is visible by now, and nothing was done.
    public func repair(_ result: VerificationResult) throws -> VerificationResult? {
        guard let visible = try layout.visible(), visible.record.commit == result.commit,
            visible.record.published == result.published, visible.record.root == result.root
        else { return nil }
        let folder = visible.folder
        var result = result
        let lostAndFound = LostAndFound(destination, now: Int64(time(nil)))
        for difference in result.found where layout.kind.isAlone {
            switch difference {
            case .foreign(let path):
                if let parent = try FolderCursor(root: folder).folder(at: path.parent) {
                    try lostAndFound.move(path.name, from: parent, path: path)
                }
            case .folderMode(let path):
                try FolderCursor(root: folder).folder(at: path)?.setMode(FileModes.folder)
            default: continue
            }
        }
        result.notices = lostAndFound.notices
        try drift.note(result.differing, isHidden: true)
        return result
    }
}

extension VisibleTree {
    fileprivate func compared(in repository: borrowing Repository, limits: Limits) throws -> VerificationResult {
        VerificationResult(
            try Verification(record: record, folder: folder, limits: limits).run(in: repository), layout: kind,
            record: record)
    }
}

extension Destination {
    /// The options with which what is visible was made; `nil` when nothing of ours is.
    public func publishedOptions() throws -> PublishingOptions? {
        guard let visible = try visible(in: TreePool(self)) else { return nil }
        return PublishingOptions(layout: visible.kind, recipe: visible.record.recipe)
    }

    /// Compares what is visible with its commit, without owning it: when an update comes in between, once more.
    public func verify() throws -> VerificationResult {
        let pool = TreePool(self)
        for attempt in 1... {
            guard let before = try visible(in: pool) else { throw PublishingError.nothingPublished(path) }
            let result = try before.compared(in: try store.open(), limits: Limits())
            let after = try visible(in: pool)?.record
            if after?.commit == before.record.commit, after?.published == before.record.published { return result }
            if attempt == 10 { break }
        }
        throw PublishingError.destinationBusy(path: path, owner: "")
    }
}
