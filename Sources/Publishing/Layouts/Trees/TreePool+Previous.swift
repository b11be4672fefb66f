import Git

/// The tree that was live before the one that is.
extension TreePool {
    private static let previous = EntryName("previous")
    private static let nextPrevious = EntryName(".previous")

    /// The tree that was live before, for the assets that loaded pages still ask for, and since when it is, in seconds.
    func previous() throws -> (tree: String, since: Double)? {
        let home = try Directory(opening: destination.volumeFolder)
        guard let target = try home.readLink(Self.previous) else { return nil }
        let text = String(decoding: target, as: UTF8.self)
        guard text.hasPrefix("trees/") else { return nil }
        let name = String(text.dropFirst("trees/".count))
        return (name, Double(try home.status(Self.previous)?.mtime ?? 0) / 1e9)
    }

    /// Points `previous` at the live tree, in one step, before another one takes its place.
    ///
    /// A tree that is DESTINATION itself is not in the pool yet, so `previous` leads to where the switch will put it. When it is
    /// there it is exchanged with the link that is made here, which leads on to it.
    ///
    /// - Parameter next: that place.
    func setPrevious(_ tree: String, movingTo next: EntryName) throws {
        let (trees, name) = (try trees, EntryName(tree))
        let isHere = try trees.status(name)?.kind == .folder
        if !isHere {
            try trees.remove(name)
            try trees.makeLink(name, target: Array(destination.linkAmongTrees(to: tree).utf8))
        }
        try pointPrevious(at: isHere ? tree : next.description)
    }

    /// The tree that `previous` leads to has got another name.
    func movePrevious(from name: EntryName, to tree: String) throws {
        if try previous()?.tree == name.description { try pointPrevious(at: tree) }
    }

    /// Takes `setPrevious` back, when the switch did not happen and the tree is live still.
    ///
    /// - Parameter previous: the tree that `previous` led to before.
    func keepPrevious(_ previous: String?, whileLive tree: String) throws {
        switch try destination.kind(in: self) {
        case .linkedTree(tree), .exchangedTree(tree): break
        default: return
        }
        let (trees, name) = (try trees, EntryName(tree))
        if try trees.status(name)?.kind == .link { try trees.remove(name) }
        if let previous, try self.previous()?.tree != previous {
            try pointPrevious(at: previous)
        } else if previous == nil {
            try removePrevious()
        }
    }

    func pointPrevious(at tree: String) throws {
        let home = try Directory(opening: destination.volumeFolder)
        try home.remove(Self.nextPrevious)
        try home.makeLink(Self.nextPrevious, target: Array("trees/\(tree)".utf8))
        try home.rename(Self.nextPrevious, to: home, as: Self.previous)
    }

    func removePrevious() throws { try Directory(opening: destination.volumeFolder).remove(Self.previous) }

    /// What a process that was killed had not put in place.
    func removeUnfinishedPrevious() {
        _ = try? Directory(opening: destination.volumeFolder).remove(Self.nextPrevious)
    }
}
