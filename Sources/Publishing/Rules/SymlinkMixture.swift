import Git

/// Whether the links of two trees may stand side by side in any mixture, as they do while one replaces the other path by
/// path: at each component a walk tries what the one tree has there, what the other has, and a folder.
struct SymlinkMixture {
    let before: [TreePath: [UInt8]]
    let after: [TreePath: [UInt8]]
    /// Components that are tried; more count as unsafe, which costs an update nothing but the order of its steps.
    private static let maxWays = 50_000

    var isSafe: Bool {
        var ways = Self.maxWays
        return Set(before.keys).union(after.keys).allSatisfy { path in
            targets(at: path).allSatisfy { stays($0[...], from: path.parent.components, links: 1, ways: &ways) }
        }
    }

    private func targets(at path: TreePath) -> [[UInt8]] {
        let (old, new) = (before[path], after[path])
        return old == new ? [old].compactMap { $0 } : [old, new].compactMap { $0 }
    }

    private func stays(_ rest: ArraySlice<UInt8>, from place: [EntryName], links: Int, ways: inout Int) -> Bool {
        ways -= 1
        guard ways > 0, links <= 40, rest.first != UInt8(ascii: "/") else { return false }
        var place = place
        var rest = rest
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
            let name = rest[..<end]
            rest = rest[end...].drop { $0 == UInt8(ascii: "/") }
            ways -= 1
            guard ways > 0 else { return false }
            if name.elementsEqual([46]) { continue }
            if name.elementsEqual([46, 46]) {
                guard place.popLast() != nil else { return false }
                continue
            }
            let next = place + [EntryName(bytes: Array(name))]
            let path = TreePath(bytes: Array(next.map(\.bytes).joined(separator: [UInt8(ascii: "/")])))
            for target in targets(at: path) {
                let whole = target + [UInt8(ascii: "/")] + rest
                guard stays(whole[...], from: place, links: links + 1, ways: &ways) else { return false }
            }
            // In a tree where it is no link it is a folder, or stops the walk.
            if before[path] != nil && after[path] != nil { return true }
            place = next
        }
        return true
    }
}
