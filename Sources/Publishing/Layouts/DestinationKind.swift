import Git

/// What DESTINATION is.
enum DestinationKind {
    case nothing
    /// A link of ours to a tree of the pool.
    case linkedTree(String)
    /// A tree of the pool itself.
    case exchangedTree(String)
    /// What the layout `folder` published.
    case publishedFolder(TreeRecord)
    /// A link of ours to a tree that somebody has removed.
    case lostTree
    case foreignLink
    case foreignFolder
    case file

    /// Whether what was visible may have been removed by somebody.
    var isLost: Bool {
        switch self {
        case .nothing, .lostTree: true
        case .linkedTree, .exchangedTree, .publishedFolder, .foreignLink, .foreignFolder, .file: false
        }
    }

    var isTree: Bool {
        switch self {
        case .linkedTree, .exchangedTree: true
        case .nothing, .publishedFolder, .lostTree, .foreignLink, .foreignFolder, .file: false
        }
    }
}

extension Destination {
    /// The layout that stands on the disk, or the one that a new DESTINATION gets.
    func automaticLayout() throws -> LayoutKind {
        switch try FileStatus.of(path)?.kind {
        case .folder:
            if case .exchangedTree = try kind(in: TreePool(self)) {
                .exchange
            } else {
                try isPrepared ? .link : .folder
            }
        case .link: .link
        case nil: try FileStatus.of(volumeFolder + "/record") == nil ? .link : .folder
        case .file, .other: throw notAFolder
        }
    }

    /// A folder that was made for us and never used, as the image brings one: in it an empty `.sidekick`, and nothing else. It
    /// gives a volume that is mounted exactly here its owner; on a volume that is mounted above it stands for nothing.
    private var isPrepared: Bool {
        get throws {
            guard !isVolumeFolderInside, !isMountPoint else { return false }
            let folder = try Directory(opening: path)
            let ours = EntryName(".sidekick")
            return try folder.names() == [ours] && folder.folder(ours)?.names().isEmpty == true
        }
    }

    /// What is visible and of ours, in whatever layout; `nil` when nothing is, or its record cannot be read.
    func visible(in pool: TreePool) throws -> VisibleTree? {
        switch try kind(in: pool) {
        case .linkedTree(let name):
            guard let record = try pool.record(of: name) else { return nil }
            let folder = try Directory(opening: volumeFolder + "/trees/" + name)
            return VisibleTree(kind: .link, name: name, record: record, folder: folder, isSame: true)
        case .exchangedTree(let name):
            guard let record = try pool.record(of: name) else { return nil }
            let folder = try Directory(opening: path)
            return VisibleTree(kind: .exchange, name: name, record: record, folder: folder, isSame: true)
        case .publishedFolder(let record):
            let folder = try Directory(opening: path)
            return VisibleTree(
                kind: .folder, name: nil, record: record, folder: folder,
                isSame: try folder.status.inode == record.root)
        case .nothing, .lostTree, .foreignLink, .foreignFolder, .file: return nil
        }
    }

    func kind(in pool: TreePool) throws -> DestinationKind {
        guard let status = try FileStatus.of(path) else { return .nothing }
        switch status.kind {
        case .file, .other: return .file
        case .link:
            let target = try Directory(opening: parent).readLink(name).map { String(decoding: $0, as: UTF8.self) } ?? ""
            let prefix = linkTarget(of: "")
            guard target.hasPrefix(prefix) else { return .foreignLink }
            let tree = String(target.dropFirst(prefix.count))
            return try FileStatus.of(volumeFolder + "/trees/" + tree) == nil ? .lostTree : .linkedTree(tree)
        case .folder:
            if let record = try folderRecord(), record.root == status.inode || record.root == 0 {
                return .publishedFolder(record)
            }
            if let tree = try exchangedTree(status.inode, in: pool) { return .exchangedTree(tree) }
            return try folderRecord().map { .publishedFolder($0) } ?? .foreignFolder
        }
    }

    /// The record that is that of a folder: by its inode, or, where a backup was restored and no inode is what it was, by
    /// being the only one of this layout whose tree is not in the pool.
    private func exchangedTree(_ inode: UInt64, in pool: TreePool) throws -> String? {
        let trees = Set(try pool.names())
        var absent: [String] = []
        for name in try pool.names(in: "records").sorted() {
            guard let record = try pool.record(of: name), record.layout == .exchange else { continue }
            if record.root == inode { return name }
            if !trees.contains(name) && !trees.contains(".old-\(name)") { absent.append(name) }
        }
        return absent.count == 1 ? absent[0] : nil
    }
}
