import Content
import Git

/// A folder that is made whole, with all that is below it, and placed in one step, where nothing stands. Nobody can have asked for a page
/// of it before, so none needs to wait for what it asks for.
struct NewFolder {
    /// Its name in the staging folder.
    let number: Int
    let path: TreePath
    var leaves: [Leaf]

    private struct Work: Sendable {
        let node: FolderNode
        let name: EntryName
        let parent: Directory
    }

    /// Makes folders, by several threads.
    ///
    /// - Parameter time: of a content, in seconds since 1970.
    static func make(
        _ folders: [NewFolder], in staging: Directory, by writer: LeafWriter, _ buildMode: BuildMode,
        _ heartbeat: Heartbeat,
        from contents: borrowing Contents, time: @escaping @Sendable (ContentID) -> Int64
    ) throws -> TreeBuild.Output {
        let work = folders.map { folder in
            Work(
                node: FolderNode(folder.leaves, at: folder.path), name: EntryName("\(folder.number)"), parent: staging)
        }
        let count = folders.reduce(0) { $0 + $1.leaves.count }
        return try BuildThreads(buildMode: buildMode).run(work, count: count, from: contents) {
            work, contents, output, check in
            let folder = try work.parent.makeFolder(work.name)
            for leaf in work.node.leaves {
                try check()
                heartbeat.beat()
                let row = try writer.writeFile(
                    leaf, as: leaf.name, in: folder, mtime: time(leaf.content), from: contents, &output)
                output.rows.append(RecordRow(path: leaf.path, entry: row))
            }
            let children = work.node.children.map { Work(node: $0, name: $0.name, parent: folder) }
            if writer.durable {
                // With the names of those that are to be made.
                for child in children { _ = try folder.makeFolder(child.name) }
                try folder.sync()
            }
            return children
        }
    }
}
