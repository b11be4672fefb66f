import Git
import Glibc

/// How a whole tree takes DESTINATION's place, in one step: as the target of a symbolic link that is renamed over, or as the
/// folder itself, exchanged with what stands there (renameat2(2), RENAME_EXCHANGE).
///
/// What comes next stands in the folder of trees, at a name that no other publish has. After an exchange, what stood at
/// DESTINATION stands there and goes back to the name that its record has; a link to it stays behind for a grace. So whoever
/// read where `previous` leads finds that tree, however long it takes him to get there. (Where a link takes the place of a tree, once
/// in the life of a DESTINATION, that place is a link to nowhere until the exchange.)
struct TreeSwitch {
    let layout: LayoutKind
    let destination: Destination
    let pool: TreePool

    /// - Parameter before: the tree that is live and becomes `previous`; `nil` for none.
    func show(_ tree: String, after before: String?, keeping lostAndFound: LostAndFound) throws {
        try settle(keeping: lostAndFound)
        let previous = try pool.previous()?.tree
        do {
            try swap(tree, after: before, keeping: lostAndFound)
        } catch {
            try? settle(keeping: lostAndFound)
            if let before { try? pool.keepPrevious(previous, whileLive: before) }
            throw error
        }
    }

    private func swap(_ tree: String, after before: String?, keeping lostAndFound: LostAndFound) throws {
        let (parent, trees) = (try Directory(opening: destination.parent), try pool.trees)
        let (standing, next) = (try destination.kind(in: pool), TreePool.next(tree))
        if case .file = standing { throw destination.notAFolder }
        try trees.remove(next)
        switch layout {
        case .link: try trees.makeLink(next, target: Array(destination.linkTarget(of: tree).utf8))
        case .exchange, .folder:
            try pool.forgetOthers(withInodeOf: tree)
            try trees.rename(EntryName(tree), to: trees, as: next)
        }
        // No tree is visible whose name is not on the disk. A link that is lost is only one that was not shown.
        if layout != .link { try trees.sync() }
        if let before { try pool.setPrevious(before, movingTo: next) }
        switch (standing, layout) {
        case (.nothing, _), (.linkedTree, .link), (.lostTree, .link):
            try trees.rename(next, to: parent, as: destination.name)
        case (.foreignLink, .link):
            try lostAndFound.keepCopy(of: destination.name, in: parent, path: destination.pathWhenLost)
            try trees.rename(next, to: parent, as: destination.name)
        default:
            try exchange(next, in: trees, with: parent)
            try parent.sync()
            try settle(next, in: trees, keeping: lostAndFound)
            return try trees.sync()
        }
        try parent.sync()
    }

    private func exchange(_ next: EntryName, in trees: Directory, with parent: Directory) throws {
        do {
            try trees.exchange(next, with: parent, destination.name)
        } catch  where [EXDEV, EINVAL, ENOSYS, EBUSY, EOPNOTSUPP].contains(error.code) {
            throw cannotExchange(error)
        }
    }

    /// Finishes what a switch that was interrupted had begun, or takes it back.
    func settle(keeping lostAndFound: LostAndFound) throws {
        for name in try pool.names() where TreePool.isNext(name) {
            try settle(EntryName(name), in: pool.trees, keeping: lostAndFound)
        }
    }

    /// What stands at the name of the next: what stood at DESTINATION, or what never came there.
    private func settle(_ name: EntryName, in trees: Directory, keeping lostAndFound: LostAndFound) throws {
        switch try trees.status(name)?.kind {
        case nil: break
        case .folder: try destination.takeBack(name, in: trees, to: pool, keeping: lostAndFound)
        case .link:
            let target = try trees.readLink(name).map { String(decoding: $0, as: UTF8.self) } ?? ""
            if let tree = destination.tree(behind: target) {
                try pool.movePrevious(from: name, to: tree)
            } else if target.hasPrefix(destination.linkTarget(of: "")) {
                try trees.remove(name)
            } else {
                try lostAndFound.move(name, from: trees, path: destination.pathWhenLost)
            }
        case .file, .other: try lostAndFound.move(name, from: trees, path: destination.pathWhenLost)
        }
    }

    private func cannotExchange(_ error: DiskError) -> PublishingError {
        .destinationUnusable(
            path: destination.path,
            reason:
                "the layout \(layout.rawValue) must swap that folder with another in one step, and this file system cannot (\(error))",
            remedy: layout == .link
                ? "move the folder away, so that a link can take its place, or set SIDEKICK_LAYOUT=folder"
                : "set SIDEKICK_LAYOUT=link or SIDEKICK_LAYOUT=folder, or put DESTINATION on a local disk or volume")
    }
}

extension Destination {
    /// Takes a folder that stood at DESTINATION out of the way: a tree of ours goes back to the pool, what the layout `folder`
    /// published goes, and everything else is kept. Trees are known by their inode: a record follows its folder.
    fileprivate func takeBack(
        _ name: EntryName, in trees: Directory, to pool: TreePool, keeping lostAndFound: LostAndFound
    ) throws {
        let inode = try trees.status(name)?.inode
        for tree in try pool.names(in: "records") {
            guard let record = try pool.record(of: tree), record.root == inode else { continue }
            switch try trees.status(EntryName(tree))?.kind {
            case nil: try trees.rename(name, to: trees, as: EntryName(tree))
            case .link:
                // `setPrevious` made it for this: from now on it leads from the one name to the other.
                try trees.exchange(name, with: trees, EntryName(tree))
                try pool.movePrevious(from: name, to: tree)
            case .folder, .file, .other: continue
            }
            return
        }
        let published = try folderRecord()
        try trees.retire(name, record: published, keeping: lostAndFound)
        try FolderLayout.forget(in: Directory(opening: volumeFolder), keeping: lostAndFound)
    }

    /// Where what stood at DESTINATION is kept below `lost+found`.
    fileprivate var pathWhenLost: TreePath { TreePath(bytes: name.bytes) }

    /// What the layout `folder` published last.
    func folderRecord() throws -> TreeRecord? {
        guard try FileStatus.of(volumeFolder) != nil else { return nil }
        return try RecordShelf(home: volumeFolder).read(FolderLayout.recordName, in: Directory(opening: volumeFolder))
    }

    /// What a link in the folder of trees leads to, which leads to a tree: in a form that no link of somebody else's has.
    func linkAmongTrees(to tree: String) -> String {
        "../../../.sidekick/\(String(decoding: name.bytes, as: UTF8.self))/trees/\(tree)"
    }

    /// The tree that such a link leads to; `nil` for any other link.
    fileprivate func tree(behind target: String) -> String? {
        let prefix = linkAmongTrees(to: "")
        return target.hasPrefix(prefix) ? String(target.dropFirst(prefix.count)) : nil
    }

    /// Relative, so that the volume may be mounted anywhere.
    func linkTarget(of tree: String) -> String {
        ".sidekick/\(String(decoding: name.bytes, as: UTF8.self))/trees/\(tree)"
    }
}
