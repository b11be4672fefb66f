import Git

/// Which symbolic links of a tree may be made: those that, followed step by step, never leave the root.
///
/// Text alone does not tell. `p -> ..` inside a folder is harmless, and `q -> p/../../etc` looks as if it stayed inside;
/// together they lead out. So a target is walked component by component through the tree's other links, those that are
/// refused themselves included. Whatever is not a link counts as a folder: what it really is can stop the walk, never
/// lead it out, and so the answer depends on nothing but the set of links.
struct SymlinkRule {
    private let targets: [TreePath: [UInt8]]
    /// The bytes of the longest path of a link: nothing longer has to be looked up.
    private let longest: Int
    /// Linux's own limit of links followed in one look-up.
    private static let mostLinks = 40

    /// - Parameter targets: the target of every link of the tree, by path.
    init(targets: [TreePath: [UInt8]]) {
        self.targets = targets
        longest = targets.keys.reduce(0) { max($0, $1.bytes.count) }
    }

    /// Whether the link at this path stays inside.
    func allows(_ path: TreePath) -> Bool {
        guard let target = targets[path], !target.isEmpty, target.count < 4096, !target.contains(0) else {
            return false
        }
        var followed = 1
        var place = path.parent.bytes
        return walk(target, from: &place, followed: &followed)
    }

    /// - Parameter place: the path that was reached; no longer than what Linux can open.
    private func walk(_ target: [UInt8], from place: inout [UInt8], followed: inout Int) -> Bool {
        guard target.first != UInt8(ascii: "/"), followed <= Self.mostLinks else { return false }
        for bytes in target.split(separator: UInt8(ascii: "/")) {
            if bytes.elementsEqual([46]) { continue }
            if bytes.elementsEqual([46, 46]) {
                guard !place.isEmpty else { return false }
                place.removeSubrange((place.lastIndex(of: UInt8(ascii: "/")) ?? 0)...)
                continue
            }
            let above = place.count
            if !place.isEmpty { place.append(UInt8(ascii: "/")) }
            place += bytes
            guard place.count < 4096 else { return false }
            if place.count <= longest, let next = targets[TreePath(bytes: place)] {
                followed += 1
                place.removeSubrange(above...)
                guard walk(next, from: &place, followed: &followed) else { return false }
            } else {
                // git's own folder and ours are inside the root of a folder layout, and never part of a tree.
                guard EntryRules.refusal(of: EntryName(bytes: Array(bytes))) == nil else { return false }
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
