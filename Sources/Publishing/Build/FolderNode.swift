import Content
import Git

/// A folder with the leaves to make in it, and the folders to make below it: the order in which nothing has to be looked up
/// twice.
final class FolderNode: Sendable {
    let name: EntryName
    let path: TreePath
    let leaves: [Leaf]
    let children: [FolderNode]

    private init(
        name: EntryName, path: TreePath, leaves: [Leaf], children: [FolderNode]
    ) {
        self.name = name
        self.path = path
        self.leaves = leaves
        self.children = children
    }

    /// The root, with everything that is to be made below it.
    ///
    /// - Parameter leaves: in the order of the bytes of their paths.
    convenience init(_ leaves: [Leaf]) {
        self.init(leaves[...], name: EntryName(bytes: []), path: .root)
    }

    /// The folder at a path, with everything that is to be made below it.
    ///
    /// - Parameter leaves: in the order of the bytes of their paths.
    convenience init(_ leaves: [Leaf], at path: TreePath) {
        self.init(leaves[...], name: path.name, path: path)
    }

    private convenience init(
        _ all: ArraySlice<Leaf>, name: EntryName, path: TreePath
    ) {
        let start = path == .root ? 0 : path.bytes.count + 1
        var leaves: [Leaf] = []
        var children: [FolderNode] = []
        var rest = all
        while let first = rest.first {
            let below = first.path.bytes[start...]
            guard let slash = below.firstIndex(of: UInt8(ascii: "/")) else {
                leaves.append(first)
                rest = rest.dropFirst()
                continue
            }
            let prefix = first.path.bytes[...slash]
            // All begin like this folder's own path: only what follows is compared, or a deep tree would cost its depth squared.
            let end = rest.firstIndex { !$0.path.bytes[start...].starts(with: below[...slash]) } ?? rest.endIndex
            children.append(
                FolderNode(
                    rest[..<end], name: EntryName(bytes: Array(below[..<slash])),
                    path: TreePath(bytes: Array(prefix.dropLast()))))
            rest = rest[end...]
        }
        self.init(name: name, path: path, leaves: leaves, children: children)
    }
}
