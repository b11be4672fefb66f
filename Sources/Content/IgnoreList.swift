/// Patterns in the order in which gitignore(5) reads them.
struct IgnoreList: Sendable, Hashable {
    private(set) var patterns: [IgnorePattern] = []

    static func parse(_ lines: [String]) -> (list: IgnoreList, problems: [InvalidPattern]) {
        var (list, problems) = (IgnoreList(), [InvalidPattern]())
        for line in lines {
            do throws(InvalidPattern) {
                if let pattern = try IgnorePattern.parse(line) { list.patterns.append(pattern) }
            } catch {
                problems.append(error)
            }
        }
        return (list, problems)
    }

    /// Whether git would ignore the path, with this list as its only file of patterns: the path or a folder above it is
    /// matched. "It is not possible to re-include a file if a parent directory of that file is excluded."
    func covers(_ path: Span<UInt8>, isFolder: Bool) -> Bool {
        if patterns.isEmpty || path.isEmpty { return false }
        var start = 0
        for end in 0...path.count where end == path.count || path[end] == UInt8(ascii: "/") {
            let step = path.extracting(0..<end)
            let last = patterns.last { $0.matches(step, name: start, isFolder: isFolder || end < path.count) }
            if let last, !last.isNegated { return true }
            start = end + 1
        }
        return false
    }

    /// Whether a pattern may match some path below this folder. Takes no notice of `!`, so it may say yes in vain.
    func mayMatch(below folder: Span<UInt8>) -> Bool {
        patterns.contains { !$0.isNegated && $0.mayMatch(below: folder) }
    }
}
