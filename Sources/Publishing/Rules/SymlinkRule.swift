import Git

/// Which symbolic links of a tree may be made: those that, followed step by step, never leave the root.
///
/// Text alone does not tell. `p -> ..` inside a folder is harmless, and `q -> p/../../etc` looks as if it stayed inside;
/// together they lead out. So a target is walked component by component through the tree's other links, those that are
/// refused themselves included. Whatever is not a link counts as a folder: what it really is can stop the walk, never
/// lead it out, and so the answer depends on nothing but the set of links.
///
/// Each link is walked once, however many lead through it, and all of them together for no more steps than are given.
struct SymlinkRule {
    private var nodes = [Node()]
    private var steps: Int

    /// A name on the way to a link, or a link.
    private struct Node {
        var parent = 0
        var children: [EntryName: Int] = [:]
        var target: [UInt8]?
        var answer = Answer.unknown
        /// The bytes of the path.
        var length = 0
    }

    private enum Answer {
        case unknown
        /// Being walked: whoever comes by again goes in a circle.
        case begun
        case refused
        case leads(to: Place, links: Int)
    }

    /// Where a walk is: at a node, or below one among names that lead to no link.
    private struct Place {
        var node: Int
        /// The bytes of the path after each of the names below the node.
        var below: [Int] = []
        var length: Int
    }

    /// A link that is being walked.
    private struct Walk {
        let link: Int
        var rest: ArraySlice<UInt8>
        var place: Place
        /// Links that were followed, this one too.
        var links = 1
    }

    /// More components than all links together may have.
    struct TooManySteps: Error {}

    /// Linux's own limit of links followed in one look-up.
    private static let maxLinks = 40
    /// Linux's PATH_MAX, with the byte at its end.
    private static let maxPath = 4096

    /// - Parameters:
    ///   - targets: the target of every link of the tree, by path.
    ///   - steps: how many components are walked at most.
    init(targets: [TreePath: [UInt8]], steps: Int = .max) {
        self.steps = steps
        for (path, target) in targets {
            var node = 0
            for name in path.components {
                if let child = nodes[node].children[name] {
                    node = child
                } else {
                    let length = nodes[node].length + (node == 0 ? 0 : 1) + name.bytes.count
                    nodes.append(Node(parent: node, length: length))
                    nodes[node].children[name] = nodes.count - 1
                    node = nodes.count - 1
                }
            }
            nodes[node].target = target
        }
    }

    /// Whether the link at this path stays inside.
    ///
    /// - Throws: `TooManySteps`.
    mutating func allows(_ path: TreePath) throws -> Bool {
        var node = 0
        for name in path.components {
            guard let child = nodes[node].children[name] else { return false }
            node = child
        }
        guard let target = nodes[node].target, !target.isEmpty, target.count < Self.maxPath, !target.contains(0)
        else {
            return false
        }
        try walk(node)
        if case .leads = nodes[node].answer { return true }
        return false
    }

    /// Finds out about a link and about those that it leads through, without a stack of calls as deep as they are many.
    private mutating func walk(_ link: Int) throws {
        guard case .unknown = nodes[link].answer else { return }
        var walks: [Walk] = []
        begin(link, &walks)
        while var walk = walks.popLast() {
            if let next = try advance(&walk) {
                walks.append(walk)
                begin(next, &walks)
            }
        }
    }

    private mutating func begin(_ link: Int, _ walks: inout [Walk]) {
        let target = nodes[link].target ?? []
        nodes[link].answer = .begun
        guard target.first != UInt8(ascii: "/") else { return nodes[link].answer = .refused }
        let parent = nodes[link].parent
        walks.append(Walk(link: link, rest: target[...], place: Place(node: parent, length: nodes[parent].length)))
    }

    /// Walks until the end, or to a link of which nothing is known yet.
    ///
    /// - Returns: that link; `nil` when the walk has its answer.
    private mutating func advance(_ walk: inout Walk) throws -> Int? {
        while true {
            let before = walk.rest
            guard let name = Self.nextName(&walk.rest) else {
                nodes[walk.link].answer = .leads(to: walk.place, links: walk.links)
                return nil
            }
            steps -= 1
            guard steps >= 0 else { throw TooManySteps() }
            if name.elementsEqual([46]) { continue }
            if name.elementsEqual([46, 46]) {
                guard leave(&walk.place) else { break }
                continue
            }
            if walk.place.below.isEmpty, let child = nodes[walk.place.node].children[EntryName(bytes: Array(name))],
                nodes[child].target != nil
            {
                switch nodes[child].answer {
                case .unknown:
                    walk.rest = before
                    return child
                case .begun, .refused: break
                case .leads(let place, let links):
                    walk.links += links
                    walk.place = place
                    if walk.links <= Self.maxLinks { continue }
                }
                break
            }
            guard enter(name, &walk.place) else { break }
        }
        nodes[walk.link].answer = .refused
        return nil
    }

    private static func nextName(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        rest = rest.drop { $0 == UInt8(ascii: "/") }
        guard !rest.isEmpty else { return nil }
        let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        defer { rest = rest[end...] }
        return rest[..<end]
    }

    /// - Returns: whether there is anything above.
    private func leave(_ place: inout Place) -> Bool {
        if place.below.popLast() != nil {
            place.length = place.below.last ?? nodes[place.node].length
            return true
        }
        guard place.node != 0 else { return false }
        place.node = nodes[place.node].parent
        place.length = nodes[place.node].length
        return true
    }

    /// - Returns: whether a folder may be called so there.
    private func enter(_ name: ArraySlice<UInt8>, _ place: inout Place) -> Bool {
        let name = EntryName(bytes: Array(name))
        // git's own folder and ours are inside the root of a folder layout, and never part of a tree.
        guard EntryRules.refusal(of: name) == nil else { return false }
        let length = place.length + (place.length == 0 ? 0 : 1) + name.bytes.count
        guard length < Self.maxPath else { return false }
        if place.below.isEmpty, let child = nodes[place.node].children[name] {
            place.node = child
        } else {
            place.below.append(length)
        }
        place.length = length
        return true
    }
}
