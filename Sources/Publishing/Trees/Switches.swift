import Git
import Glibc

/// DESTINATION is a symbolic link to a tree of the pool, renamed over in one step.
struct LinkSwitch {
    let destination: Destination
    let pool: TreePool

    /// The next link; after an exchange, what stood at DESTINATION.
    static let next = EntryName(".next")

    func show(_ tree: String, keeping lostAndFound: LostAndFound) throws {
        let home = try Directory(opening: destination.home)
        let parent = try Directory(opening: destination.parent)
        try clearNext(in: home, keeping: lostAndFound)
        try home.makeLink(Self.next, target: Array(destination.linkTarget(of: tree).utf8))
        switch try destination.standing(in: pool) {
        case .foreignLink:
            try lostAndFound.keepCopy(of: destination.name, in: parent, path: TreePath(bytes: destination.name.bytes))
            try home.rename(Self.next, to: parent, as: destination.name)
        case .linkedTree, .nothing:
            try home.rename(Self.next, to: parent, as: destination.name)
        case .exchangedTree, .publishedFolder, .foreignFolder:
            try home.exchange(Self.next, with: parent, destination.name)
            try parent.sync()
            try clearNext(in: home, keeping: lostAndFound)
        case .file: throw destination.notAFolder
        }
        try parent.sync()
    }

    func recover(keeping lostAndFound: LostAndFound) throws {
        try clearNext(in: Directory(opening: destination.home), keeping: lostAndFound)
    }

    /// What stands at the name of the next link: a link that never went live, or, after an exchange, the folder that stood
    /// at DESTINATION. Of that, a tree of ours goes back to the pool, what the layout `folder` published goes, and everything
    /// else is kept.
    private func clearNext(in home: Directory, keeping lostAndFound: LostAndFound) throws {
        guard let status = try home.status(Self.next) else { return }
        guard status.kind == .folder else {
            try home.remove(Self.next)
            return
        }
        try destination.takeBack(Self.next, in: home, to: pool, keeping: lostAndFound)
    }
}

/// DESTINATION is a real folder, exchanged with a tree of the pool in one step (renameat2(2), RENAME_EXCHANGE).
struct ExchangeSwitch {
    let destination: Destination
    let pool: TreePool

    func show(_ tree: String, keeping lostAndFound: LostAndFound) throws {
        let parent = try Directory(opening: destination.parent)
        let (trees, name) = (try pool.trees, EntryName(tree))
        switch try destination.standing(in: pool) {
        case .nothing:
            try trees.rename(name, to: parent, as: destination.name)
        case .linkedTree, .exchangedTree, .publishedFolder, .foreignFolder, .foreignLink:
            do {
                try trees.exchange(name, with: parent, destination.name)
            } catch  where [EXDEV, EINVAL, ENOSYS, EBUSY, EOPNOTSUPP].contains(error.code) {
                throw cannotExchange(error)
            }
            try parent.sync()
            try clear(name, in: trees, keeping: lostAndFound)
        case .file: throw destination.notAFolder
        }
        try parent.sync()
        try trees.sync()
    }

    /// After an exchange, or one that was interrupted right after it: what stood at DESTINATION has the name of the new tree.
    func recover(keeping lostAndFound: LostAndFound) throws {
        guard case .exchangedTree(let live) = try destination.standing(in: pool) else { return }
        try clear(EntryName(live), in: pool.trees, keeping: lostAndFound)
    }

    private func clear(_ name: EntryName, in trees: Directory, keeping lostAndFound: LostAndFound) throws {
        switch try trees.status(name)?.kind {
        case nil: break
        case .folder: try destination.takeBack(name, in: trees, to: pool, keeping: lostAndFound)
        case .link:
            let target = try trees.readLink(name).map { String(decoding: $0, as: UTF8.self) }
            let ours = [destination.linkTarget(of: ""), destination.homeFromTrees]
            if let target, ours.contains(where: target.hasPrefix) {
                try trees.remove(name)
            } else {
                try lostAndFound.move(name, from: trees, path: TreePath(bytes: destination.name.bytes))
            }
        case .file, .other: try lostAndFound.move(name, from: trees, path: TreePath(bytes: destination.name.bytes))
        }
    }

    private func cannotExchange(_ error: DiskError) -> PublishingError {
        .destinationUnusable(
            path: destination.path,
            reason:
                "the layout exchange must swap it with another folder in one step, and this file system cannot (\(error))",
            remedy: "set SIDEKICK_LAYOUT=link or SIDEKICK_LAYOUT=folder, or put DESTINATION on a local disk or volume")
    }
}

extension Destination {
    /// Takes a folder that stood at DESTINATION out of the way. Trees are known by their inode: a record follows its folder.
    fileprivate func takeBack(
        _ name: EntryName, in folder: Directory, to pool: TreePool, keeping lostAndFound: LostAndFound
    ) throws {
        let inode = try folder.status(name)?.inode
        for tree in try pool.names(in: "records") {
            guard let record = try pool.record(of: tree), record.root == inode, EntryName(tree) != name else {
                continue
            }
            let trees = try pool.trees
            switch try trees.status(EntryName(tree))?.kind {
            case nil: try folder.rename(name, to: trees, as: EntryName(tree))
            case .link:
                // `previous` leads through that link to this folder, and does so at any moment.
                try folder.exchange(name, with: trees, EntryName(tree))
                try folder.remove(name)
            case .folder, .file, .other: continue
            }
            return try trees.sync()
        }
        let published = try folderRecord()
        try folder.retire(name, record: published, keeping: lostAndFound)
        try FolderLayout.forget(in: Directory(opening: home), keeping: lostAndFound)
    }

    /// What the layout `folder` published last.
    func folderRecord() throws -> TreeRecord? {
        guard try FileStatus.of(home) != nil else { return nil }
        return try RecordShelf(home: home).read(FolderLayout.recordName, in: Directory(opening: home))
    }

    /// Our folder as seen from that of all trees: in a form that no link of somebody else's has.
    var homeFromTrees: String { "../../../.sidekick/\(String(decoding: name.bytes, as: UTF8.self))/" }

    /// Relative, so that the volume may be mounted anywhere.
    func linkTarget(of tree: String) -> String {
        ".sidekick/\(String(decoding: name.bytes, as: UTF8.self))/trees/\(tree)"
    }
}
