extension PassPlan {
    /// Lines for people: the first of each kind, and how many there are.
    public var text: String {
        var lines = ["", "\(ref) is \(commit)" + (signer.map { ", signed by \($0)" } ?? "")]
        lines.append(published.map { "shown now is \($0)" } ?? "nothing of it is shown now")
        if let held { lines.append("\(held) is held: nothing changes until `sidekick resume`") }
        lines += Self.list("added", added) + Self.list("changed", changed) + Self.list("removed", removed)
        lines += Self.list("left out", leftOut.map { "\($0.path): \($0.reason)" })
        let isNothing = added.isEmpty && changed.isEmpty && removed.isEmpty
        lines.append(
            isNothing
                ? "no path changes"
                : "\(added.count) added, \(changed.count) changed, \(removed.count) removed; \(bytes) bytes to write")
        return lines.joined(separator: "\n")
    }

    private static let longest = 50

    private static func list(_ word: String, _ items: [Item]) -> [String] {
        list(word, items.map { "\($0.path) (\($0.bytes) bytes)" })
    }

    private static func list(_ word: String, _ texts: [String]) -> [String] {
        let padded = word + String(repeating: " ", count: 10 - word.count)
        let more = texts.count - longest
        return texts.prefix(longest).map { padded + $0 } + (more > 0 ? [padded + "and \(more) more"] : [])
    }
}
