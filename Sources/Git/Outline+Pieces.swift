extension Repository {
    /// What is missing of a folder by comparing it with an earlier one that is here: the trees of one level, or, when all of them are here,
    /// the files. Each of them is asked for by its name, and comes whole.
    ///
    /// - Returns: `nil` where that is so much that the server had better compare.
    borrowing func pieces(of tree: ObjectID, since known: ObjectID) throws -> FolderNeed? {
        var (trees, files): (Set<ObjectID>, Set<ObjectID>) = ([], [])
        var waiting: [(new: ObjectID, old: ObjectID?, depth: Int)] = [(tree, known, 0)]
        var seen = 0
        while let folder = waiting.popLast() {
            seen += 1
            guard seen <= Self.mostPieces, folder.depth <= Self.deepestPiece else { return nil }
            let before = try folder.old.map { try TreeRows(of: $0, in: self) }
            guard (before?.count ?? 0) <= Self.longestPiece else { return nil }
            guard try contains(folder.new) else {
                trees.insert(folder.new)
                continue
            }
            try TreeRows.compare(before, TreeRows(of: folder.new, in: self)) { old, new in
                guard let new, new.kind != .submodule else { return }
                if new.kind == .folder {
                    waiting.append((new.id, old?.kind == .folder ? old?.id : nil, folder.depth + 1))
                } else if files.count <= Self.mostPieces, try !contains(new.id) {
                    files.insert(new.id)
                }
            }
        }
        if !trees.isEmpty { return .trees(trees.sorted { $0.prefix < $1.prefix }) }
        guard !files.isEmpty, files.count <= Self.mostPieces else { return nil }
        return .files(files.sorted { $0.prefix < $1.prefix })
    }

    /// A question has so many objects at most, and so many folders are compared for it.
    private static var mostPieces: Int { 256 }
    /// Each level is a question.
    private static var deepestPiece: Int { 8 }
    /// Entries of a folder: what is longer comes as a difference to what is here, of a few bytes.
    private static var longestPiece: Int { 1_000 }
}
