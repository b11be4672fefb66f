import Git
import Glibc

/// DESTINATION is a symbolic link to a complete tree, renamed over in one step: readers see the old tree or the new one.
///
/// State is in names: the link says which tree is live, `records/<tree>` what is in it, and the record's own time when it
/// ceased to be live.
struct LinkLayout {
    let destination: Destination
    let options: PublishingOptions

    private var treesPath: String { destination.home + "/trees" }
    private var recordsPath: String { destination.home + "/records" }

    /// The live tree's name, when DESTINATION is a link of ours to a tree that is there.
    func liveTree() throws -> String? {
        let parent = try Directory(opening: destination.parent)
        guard let target = try parent.readLink(destination.name) else { return nil }
        let prefix = linkTarget(of: "")
        let text = String(decoding: target, as: UTF8.self)
        guard text.hasPrefix(prefix), try FileStatus.of(treesPath + "/" + text.dropFirst(prefix.count)) != nil else {
            return nil
        }
        return String(text.dropFirst(prefix.count))
    }

    func record(of tree: String) throws -> TreeRecord? {
        guard try FileStatus.of(recordsPath) != nil else { return nil }
        return try Directory(opening: recordsPath).read(EntryName(tree)).flatMap { TreeRecord(decoding: $0) }
    }

    /// Relative, so that the volume may be mounted anywhere.
    private func linkTarget(of tree: String) -> String {
        ".sidekick/\(String(decoding: destination.name.bytes, as: UTF8.self))/trees/\(tree)"
    }

    // MARK: materialize

    /// Makes a whole tree, unchanged files by hard link from the live one.
    func materialize(
        _ commit: Commit, tree: ObjectID, from repository: borrowing Repository, now: Int64
    ) throws -> StagedTree {
        guard !destination.isInside else { throw cannotSwitch }
        let live = try liveTree()
        let old = try live.flatMap { try record(of: $0) } ?? folderRecord()
        let plan = try TreePlan(from: nil, to: tree, record: old, in: repository, options: options)
        let trees = try Directory(making: treesPath)
        let temporary = EntryName(".new-\(commit.id)")
        try trees.removeTree(temporary)
        do {
            var build = try TreeBuild(
                plan: plan, old: old, live: live.flatMap { try trees.folder(EntryName($0)) },
                root: trees.makeFolder(temporary), commit: commit, options: options, now: now)
            try build.run(from: repository)
            try build.makeDurable()
            var record = TreeRecord(
                commit: commit.id, tree: tree, subdirectory: options.subdirectory, policy: options.policy,
                published: now, entries: build.entries)
            record.noteRemovals(since: old)
            let name = try freeName(for: commit.id, in: trees)
            let records = try Directory(making: recordsPath)
            try records.replace(EntryName(name), with: record.encoded())
            try trees.rename(temporary, to: trees, as: EntryName(name))
            try trees.sync()
            var staged = StagedTree(record: record, place: .tree(name))
            staged.filesWritten = build.writer.filesWritten
            staged.bytesWritten = build.writer.bytesWritten
            staged.filesRemoved = old?.entries.keys.count { record.entries[$0] == nil } ?? 0
            staged.notices = plan.notices + build.notices
            return staged
        } catch {
            try? trees.removeTree(temporary)
            throw error
        }
    }

    /// What the layout `folder` published here before: its times count when this one takes over.
    private func folderRecord() throws -> TreeRecord? {
        try Directory(opening: destination.home).read(FolderLayout.recordName).flatMap { TreeRecord(decoding: $0) }
    }

    private func freeName(for commit: ObjectID, in trees: Directory) throws -> String {
        var name = commit.description
        var attempt = 1
        while try trees.status(EntryName(name)) != nil {
            attempt += 1
            name = "\(commit)-\(attempt)"
        }
        return name
    }

    // MARK: publish

    /// Shows a tree: one rename. What was live before is stamped with the time at which it ceased to be.
    func publish(_ tree: String, keeping lostAndFound: LostAndFound) throws {
        let live = try liveTree()
        let home = try Directory(opening: destination.home)
        let parent = try Directory(opening: destination.parent)
        try clearNext(in: home, keeping: lostAndFound)
        try home.makeLink(Self.next, target: Array(linkTarget(of: tree).utf8))
        switch try parent.status(destination.name)?.kind {
        case .link where live == nil:
            try lostAndFound.keepCopy(of: destination.name, in: parent, path: TreePath(bytes: destination.name.bytes))
            try home.rename(Self.next, to: parent, as: destination.name)
        case .link, nil:
            try home.rename(Self.next, to: parent, as: destination.name)
        case .folder:
            guard !destination.isMountPoint else { throw cannotSwitch }
            try home.exchange(Self.next, with: parent, destination.name)
            try parent.sync()
            try clearNext(in: home, keeping: lostAndFound)
        case .file, .other:
            throw destination.notAFolder
        }
        try parent.sync()
        if let live { stamp(live) }
    }

    private var cannotSwitch: PublishingError {
        .destinationUnusable(
            path: destination.path,
            reason: "the layout link must rename it, and it is a mount or its parent may not be written",
            remedy: "mount the volume one folder higher, or set SIDEKICK_LAYOUT=folder")
    }

    private static let next = EntryName(".next")

    /// What stands at the name of the next link: a link that never went live, or, after an exchange, the folder that stood
    /// at DESTINATION. Of that, what the layout `folder` published goes, and everything else is kept.
    private func clearNext(in home: Directory, keeping lostAndFound: LostAndFound) throws {
        guard try home.status(Self.next)?.kind == .folder else {
            try home.remove(Self.next)
            return
        }
        try home.retire(Self.next, record: try folderRecord(), keeping: lostAndFound)
        try home.remove(FolderLayout.recordName)
    }

    private func stamp(_ tree: String) {
        // Without the stamp the tree is kept a little longer or shorter: no reason to fail a publish that is visible.
        utimensat(AT_FDCWD, recordsPath + "/" + tree, nil, 0)
    }

    // MARK: tidy

    /// Removes trees that have not been live for the grace period. Files in them that are not ours are kept.
    ///
    /// - Returns: the seconds until the next one is due; `nil` when none is left.
    func tidy(now: Double, keeping lostAndFound: LostAndFound) throws -> Double? {
        guard try FileStatus.of(treesPath) != nil else { return nil }
        let live = try liveTree()
        let trees = try Directory(opening: treesPath)
        let records = try Directory(making: recordsPath)
        var next: Double?
        for tree in try trees.names() where tree != live.map({ EntryName($0) }) {
            let ended = try Double(records.status(tree)?.mtime ?? 0) / 1e9
            let age = now - ended
            guard age >= options.grace || age < 0 else {
                next = min(next ?? .infinity, options.grace - age)
                continue
            }
            let record = try records.read(tree).flatMap { TreeRecord(decoding: $0) }
            try trees.retire(tree, record: record, keeping: lostAndFound)
            try records.remove(tree)
        }
        return next
    }

    /// Removes what a process that was killed had not finished.
    func sweep(keeping lostAndFound: LostAndFound) throws -> [Notice] {
        try clearNext(in: try Directory(opening: destination.home), keeping: lostAndFound)
        guard try FileStatus.of(treesPath) != nil else { return [] }
        let trees = try Directory(opening: treesPath)
        let unfinished = try trees.names().filter { $0.bytes.starts(with: ".new-".utf8) }
        for name in unfinished { try trees.removeTree(name) }
        // A record is written before its tree has its name.
        if try FileStatus.of(recordsPath) != nil {
            let records = try Directory(opening: recordsPath)
            for name in try records.names() where try trees.status(name) == nil { try records.remove(name) }
        }
        return unfinished.isEmpty
            ? [] : [.recovered("removed \(unfinished.count) unfinished trees of a process that was killed")]
    }
}
