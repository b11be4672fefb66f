/// What to make of a variable that begins like ours and is not one of ours.
enum SettingNames {
    enum NameCheck: Equatable {
        case ignored
        case misspelled(String)
        case unknown
    }

    static let prefix = "SIDEKICK_"

    static func verdict(on name: String, known: [String]) -> NameCheck {
        if isFromKubernetes(name) { return .ignored }
        if let near = nearest(to: name, among: known) { return .misspelled(near) }
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
