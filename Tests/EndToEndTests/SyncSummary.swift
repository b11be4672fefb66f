import Foundation
import TestSupport

/// A trace for people: a line for each sync and each switch, alike ones together, in the order in which they came.
struct SyncSummary {
    private let root: String
    private var rows: [(what: String, place: String, count: Int)] = []

    init(_ root: String) { self.root = root }

    /// A sync. Those of the store and of the status have nothing to do with what is visible.
    mutating func note(_ call: SystemCall) {
        guard let path = call.paths.first, path.hasPrefix(root), !path.hasPrefix(root + "/.sidekick/www/git"),
            !path.contains(".json.new")
        else { return }
        add(call.name, short(path))
    }

    /// What makes something visible, or says so.
    mutating func show(_ call: SystemCall) {
        let isExchange = call.text.contains("RENAME_EXCHANGE")
        let name = call.name == "unlink" ? "REMOVE" : isExchange ? "EXCHANGE" : "RENAME"
        add(name, call.paths.map(short).joined(separator: isExchange ? " <-> " : " -> "))
    }

    private mutating func add(_ what: String, _ place: String) {
        if rows.last?.what == what, rows.last?.place == place {
            rows[rows.count - 1].count += 1
        } else {
            rows.append((what, place, 1))
        }
    }

    /// Ids by their first digits; what is deep in a tree by the tree.
    private func short(_ path: String) -> String {
        var parts = path.dropFirst(root.count).split(separator: "/").map { part in
            part.replacing(#/[0-9a-f]{40}/#) { $0.output.prefix(7) }.replacing(#/^[0-9a-f]{16}$/#) { _ in "<segment>" }
        }
        let depth = parts.first == ".sidekick" ? (["trees", "staging"].contains(parts.dropFirst(2).first) ? 4 : 9) : 1
        if parts.count > depth { parts = parts[..<depth] + ["…"] }
        return parts.isEmpty ? "." : parts.joined(separator: "/")
    }

    var text: String {
        rows.map { row in
            "  " + row.what.padding(toLength: 9, withPad: " ", startingAt: 0) + row.place
                + (row.count > 1 ? "  (\(row.count) times)" : "")
        }.joined(separator: "\n")
    }
}
