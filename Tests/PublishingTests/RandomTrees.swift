import Foundation
import TestSupport

/// Trees of about sixty paths that become one another: few names, so that files, folders, links and submodules meet at the
/// same path, and few bytes of one size, so that what a path held before comes back.
struct RandomTrees {
    enum Leaf: Equatable {
        case file(String, executable: Bool)
        case link(String)
        case submodule

        var isFile: Bool { if case .file = self { true } else { false } }
    }

    typealias Tree = [String: Leaf]

    /// One tree for each commit, in their order.
    let trees: [Tree]

    private static let paths: [String] =
        ["a", "b", "A", "index.html", "x", "z.js"]
        + ["a", "b", "A", "x"].flatMap { folder in ["a", "b", "x", "page.html", "s.css"].map { "\(folder)/\($0)" } }
        + ["a/a", "a/b", "b/x", "x/x"].flatMap { folder in
            ["a", "b", "x", "f.txt", "README", "readme"].map { "\(folder)/\($0)" }
        } + ["a/a/a", "x/x/x"].flatMap { folder in ["1", "2", "3", "4", "5"].map { "\(folder)/\($0)" } }

    private static let targets = ["..", ".", "a", "../x", "a/b", "../../b/x", "/etc", "../../..", "gone"]

    init(count: Int, using numbers: inout SeededNumbers) {
        var tree: Tree = [:]
        for _ in 0..<25 { Self.set(&tree, Self.anyPath(&numbers), Self.anyLeaf(&numbers)) }
        var trees = [tree]
        while trees.count < count {
            for _ in 0..<Int.random(in: 1...6, using: &numbers) { Self.change(&tree, trees, &numbers) }
            trees.append(tree)
        }
        self.trees = trees
    }

    private static func anyPath(_ numbers: inout SeededNumbers) -> String { paths.randomElement(using: &numbers)! }

    private static func anyLeaf(_ numbers: inout SeededNumbers) -> Leaf {
        switch Int.random(in: 0..<12, using: &numbers) {
        case 0: .link(targets.randomElement(using: &numbers)!)
        case 1: .submodule
        case let kind:
            .file(["one", "two", "six"].randomElement(using: &numbers)!, executable: kind == 2)
        }
    }

    /// What stood there, below it, or as a file above it, is gone.
    private static func set(_ tree: inout Tree, _ path: String, _ leaf: Leaf) {
        tree = tree.filter { !$0.key.hasPrefix(path + "/") && !path.hasPrefix($0.key + "/") }
        tree[path] = leaf
    }

    private static func change(_ tree: inout Tree, _ earlier: [Tree], _ numbers: inout SeededNumbers) {
        let sorted = tree.keys.sorted()
        let path = sorted.randomElement(using: &numbers) ?? "a"
        switch Int.random(in: 0..<100, using: &numbers) {
        case 0: tree = [:]
        case 1...3: tree = earlier.randomElement(using: &numbers)!
        case 4...22: tree[path] = nil
        case 23...32:
            if case .file(let text, let executable) = tree[path] { tree[path] = .file(text, executable: !executable) }
        case 33...42:
            let leaf = tree.removeValue(forKey: path) ?? .submodule
            set(&tree, anyPath(&numbers), leaf)
        case 43...50: moveFolder(&tree, of: path, to: anyPath(&numbers))
        default: set(&tree, anyPath(&numbers), anyLeaf(&numbers))
        }
    }

    private static func moveFolder(_ tree: inout Tree, of path: String, to place: String) {
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        guard !folder.isEmpty, place.split(separator: "/").count < 4 else { return }
        let moved = tree.filter { $0.key.hasPrefix(folder + "/") }
        for name in moved.keys { tree[name] = nil }
        for (name, leaf) in moved.sorted(by: { $0.key < $1.key }) {
            set(&tree, place + name.dropFirst(folder.count), leaf)
        }
    }

    /// Commits all of them in one go.
    ///
    /// - Returns: their ids.
    func commit(in source: GitRepository, using numbers: inout SeededNumbers) throws -> [String] {
        var stream = ""
        for (number, tree) in trees.enumerated() {
            // Mostly a clock that stands still: then only the rule keeps times apart.
            let time = numbers.isOne(in: 5) ? Int.random(in: 1...1_500_000_000, using: &numbers) : 1_000_000_000
            stream += "commit refs/heads/walk\nmark :\(number + 1)\n"
            stream += "committer Test <test@example.org> \(time) +0000\ndata 0\ndeleteall\n"
            for (path, leaf) in tree.sorted(by: { $0.key < $1.key }) {
                switch leaf {
                case .file(let text, let executable):
                    stream += "M \(executable ? 100755 : 100644) inline \(path)\ndata \(text.utf8.count)\n\(text)\n"
                case .link(let target): stream += "M 120000 inline \(path)\ndata \(target.utf8.count)\n\(target)\n"
                case .submodule: stream += "M 160000 \(String(repeating: "ab", count: 20)) \(path)\n"
                }
            }
        }
        let marks = source.folder("marks")
        try source.git("fast-import", "--quiet", "--export-marks=\(marks)", input: Data(stream.utf8))
        var ids = [String](repeating: "", count: trees.count)
        for line in try source.folder.read("marks").split(separator: "\n") {
            let fields = line.dropFirst().split(separator: " ")
            if let number = Int(fields[0]) { ids[number - 1] = String(fields[1]) }
        }
        return ids
    }
}
