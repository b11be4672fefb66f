/// What to make of a variable that is not one of ours, and may be meant to be.
enum SettingNames {
    enum NameCheck: Equatable {
        case ignored
        case misspelled(String)
        case unknown
    }

    static let prefix = "SIDEKICK_"

    static func verdict(on name: String, known: [String]) -> NameCheck {
        guard name.hasPrefix(prefix) else {
            return nearest(to: name, among: known.filter { $0.hasPrefix(prefix) }).map { .misspelled($0) } ?? .ignored
        }
        if isFromKubernetes(name) { return .ignored }
        // REPOSITORY, DESTINATION and DELAY are three words that somebody gives our prefix.
        let aliases = known.map { (alias: $0.hasPrefix(prefix) ? $0 : prefix + $0, name: $0) }
        let beginning = aliases.first { $0.alias.hasPrefix(name) && name.utf8.count >= prefix.utf8.count + 3 }
        let near = nearest(to: name, among: aliases.map(\.alias))
        if let found = beginning ?? aliases.first(where: { $0.alias == near }) { return .misspelled(found.name) }
        return .unknown
    }

    /// The closest name within two edits.
    static func nearest(to name: String, among known: [String]) -> String? {
        known.map { ($0, distance(name, $0)) }.filter { $0.1 <= 2 }.min { $0.1 < $1.1 }?.0
    }

    /// What Kubernetes sets in every Pod for a Service named `sidekick` or `sidekick-…`.
    private static func isFromKubernetes(_ name: String) -> Bool {
        if name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.hasSuffix("_PORT") { return true }
        return ["_TCP", "_UDP", "_SCTP"].contains { name.contains("_PORT_") && name.contains($0) }
    }

    /// Levenshtein's distance.
    private static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard abs(left.count - right.count) <= 2 else { return 3 }
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                current.append(
                    min(previous[column] + (byte == other ? 0 : 1), previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[right.count]
    }
}
