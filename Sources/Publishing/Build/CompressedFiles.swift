import Content
import Git

/// Which compressed files come and go with what changes of a tree. One stands beside its original and nowhere else, and never where
/// the repository has something itself.
struct CompressedFiles {
    private let tree: ObjectID
    private let changed: [TreePath: TreePlan.Change]
    private let base: TreePlan.Base?
    private let options: PublishingOptions
    private let buildMode: BuildMode

    /// - Parameter changes: all that differs of what the repository has.
    init(
        of tree: ObjectID, _ changes: [TreePlan.Change], _ base: TreePlan.Base?, _ options: PublishingOptions,
        _ buildMode: BuildMode
    ) {
        (self.tree, self.base, self.options, self.buildMode) = (tree, base, options, buildMode)
        changed =
            options.recipe.compression == nil
            ? [:] : Dictionary(changes.lazy.map { ($0.path, $0) }) { first, _ in first }
    }

    /// What takes the place of the change of its path, or joins them.
    func changes(in contents: borrowing Contents) throws -> [TreePlan.Change] {
        guard let compression = options.recipe.compression, !changed.isEmpty else { return [] }
        let originals = originals(compression)
        let unchanged = originals.filter { changed[$0] == nil }
        let standing = try contents.repository.entries(
            at: originals.map { compression.path(beside: $0) } + unchanged, in: tree)
        let leaves = try originals.compactMap { original -> Leaf? in
            guard standing[compression.path(beside: original)] == nil,
                let leaf = try leaf(at: original, standing[original], in: contents), compression.suits(leaf)
            else { return nil }
            return leaf
        }
        let made = try compress(leaves, compression, from: contents)
        var files = Dictionary(
            leaves.compactMap { leaf in made[leaf.content].map { (leaf.path, $0) } }
        ) { first, _ in first }
        return originals.compactMap { original in
            let path = compression.path(beside: original)
            if let file = files.removeValue(forKey: original) {
                let leaf = Leaf(path: path, kind: .file(executable: false), content: file.content, size: file.size)
                return TreePlan.Change(path: path, new: leaf)
            }
            guard changed[path] == nil, hadFile(at: path) else { return nil }
            return TreePlan.Change(path: path, new: nil, isFolder: standing[path]?.kind == .folder)
        }
    }

    /// The files whose compressed file may be another one now: what changed, and what stands beside a place at which something did,
    /// or below which.
    private func originals(_ compression: Compression) -> [TreePath] {
        var originals: Set<TreePath> = []
        for path in changed.keys {
            if compression.suits(path) || hadFile(at: compression.path(beside: path)) { originals.insert(path) }
            var place = path
            while place != .root {
                if let original = compression.original(of: place) { originals.insert(original) }
                place = place.parent
            }
        }
        return originals.sorted()
    }

    private func leaf(at path: TreePath, _ entry: TreeEntry?, in contents: borrowing Contents) throws -> Leaf? {
        if let change = changed[path] { return change.new }
        guard let entry, options.recipe.selection.publishes(entry, at: path) else { return nil }
        return try contents.repository.leaf(entry, at: path, as: options.recipe)
    }

    private func hadFile(at path: TreePath) -> Bool {
        [base?.record, base?.live].contains { $0?[path]?.content.isCompressed ?? false }
    }

    /// Each blob once, by several threads.
    private func compress(
        _ leaves: [Leaf], _ compression: Compression, from contents: borrowing Contents
    ) throws -> [ContentID: FileContent] {
        let blobs = Array(Dictionary(leaves.lazy.map { ($0.content, $0) }) { first, _ in first }.values)
        let (budget, heartbeat) = (BlobBudget(options.limits.blob), options.heartbeat)
        let output = try BuildThreads(buildMode: buildMode).run(blobs, count: blobs.count, from: contents) {
            leaf, contents, output, check in
            try check()
            heartbeat.beat()
            guard case .blob(let blob) = leaf.content, let size = leaf.size,
                let file = try budget.whileReading(
                    2 * size,
                    {
                        try contents.compressed(blob, size: size, by: compression)
                    })
            else { return [] }
            let row = RecordedEntry(kind: leaf.kind, content: file.content, size: file.size)
            output.rows.append(RecordRow(path: leaf.path, entry: row))
            return []
        }
        let rows = output.rows.compactMap(\.entry)
        return Dictionary(
            rows.compactMap { row in
                guard case .compressed(let blob) = row.content else { return nil }
                return (.blob(blob.source), FileContent(content: row.content, size: row.size))
            }
        ) { first, _ in first }
    }
}
