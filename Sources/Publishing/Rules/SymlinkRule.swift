import Git

/// Which symbolic links of a tree may be made: those that, followed step by step, never leave the root.
///
/// Text alone does not tell. `p -> ..` inside a folder is harmless, and `q -> p/../../etc` looks as if it stayed inside;
/// together they lead out. So a target is walked component by component through the tree's other links, those that are
/// refused themselves included. Whatever is not a link counts as a folder: what it really is can stop the walk, never
/// lead it out, and so the answer depends on nothing but the set of links.
struct SymlinkRule {
    /// The target of every link of the tree, by path.
    let targets: [TreePath: [UInt8]]
    /// Linux's own limit of links followed in one look-up.
    private static let mostLinks = 40

    /// Whether the link at this path stays inside.
    func allows(_ path: TreePath) -> Bool {
        guard let target = targets[path], !target.isEmpty, target.count < 4096, !target.contains(0) else {
            return false
        }
        var followed = 1
        var place = path.parent.components
        return walk(target, from: &place, followed: &followed)
    }

    private func walk(_ target: [UInt8], from place: inout [EntryName], followed: inout Int) -> Bool {
        guard target.first != UInt8(ascii: "/"), followed <= Self.mostLinks else { return false }
        for bytes in target.split(separator: UInt8(ascii: "/")) {
            if bytes.elementsEqual([46]) { continue }
            if bytes.elementsEqual([46, 46]) {
                guard place.popLast() != nil else { return false }
                continue
            }
            let name = EntryName(bytes: Array(bytes))
            let path = TreePath(bytes: Array((place + [name]).map(\.bytes).joined(separator: [UInt8(ascii: "/")])))
            if let next = targets[path] {
                followed += 1
                guard walk(next, from: &place, followed: &followed) else { return false }
            } else {
                // git's own folder and ours are inside the root of a folder layout, and never part of a tree.
                guard EntryRules.refusal(of: name) == nil else { return false }
                place.append(name)
            }
        }
        return true
    }
}

/// What happens to a symbolic link that leads out of the tree.
public enum SymlinkPolicy: String, Sendable, CaseIterable {
    /// It is left out, with a warning.
    case skip
    /// The commit is not published.
    case refuse
    /// No symbolic link is made at all.
    case none
}
