import Platform

/// A version as Semantic Versioning 2.0.0 orders them; what it says of the build plays no part.
struct SemanticVersion: Sendable, Equatable, Comparable {
    var major: Int
    var minor: Int
    var patch: Int
    /// The dot-separated identifiers after the hyphen; none for a release.
    var prerelease: [Substring] = []

    init(_ major: Int, _ minor: Int, _ patch: Int, prerelease: [Substring] = []) {
        (self.major, self.minor, self.patch, self.prerelease) = (major, minor, patch, prerelease)
    }

    /// Reads all three numbers; a `v` in front is left out of account, as tags have it.
    init?(_ text: some StringProtocol) {
        guard let partial = PartialVersion(text), let minor = partial.minor, let patch = partial.patch,
            let major = partial.major
        else { return nil }
        self.init(major, minor, patch, prerelease: partial.prerelease)
    }

    static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        let (one, other) = ([left.major, left.minor, left.patch], [right.major, right.minor, right.patch])
        guard one == other else { return one.lexicographicallyPrecedes(other) }
        // A prerelease comes before its release.
        if left.prerelease.isEmpty || right.prerelease.isEmpty {
            return !left.prerelease.isEmpty && right.prerelease.isEmpty
        }
        for (one, other) in zip(left.prerelease, right.prerelease) where one != other {
            switch (Int(one), Int(other)) {
            case (let one?, let other?): return one < other
            case (_?, nil): return true
            case (nil, _?): return false
            case (nil, nil): return Array(one.utf8).lexicographicallyPrecedes(Array(other.utf8))
            }
        }
        return left.prerelease.count < right.prerelease.count
    }

    func hasSameNumbers(as other: SemanticVersion) -> Bool {
        (major, minor, patch) == (other.major, other.minor, other.patch)
    }
}

/// A version of which the last numbers may be missing, or be `x` or `*`.
struct PartialVersion {
    var major: Int?
    var minor: Int?
    var patch: Int?
    var prerelease: [Substring] = []

    init?(_ text: some StringProtocol) {
        var text = Substring(text)
        if text.first == "v" || text.first == "V" { text = text.dropFirst() }
        text = text.prefix { $0 != "+" }
        let hyphen = text.firstIndex(of: "-")
        let numbers = text[..<(hyphen ?? text.endIndex)].parts(at: ".")
        guard (1...3).contains(numbers.count) else { return nil }
        var values: [Int?] = []
        for number in numbers {
            if ["x", "X", "*"].contains(number) {
                values.append(nil)
            } else {
                guard let value = UInt32(number), !number.hasPrefix("+"), number.count == 1 || number.first != "0",
                    values.allSatisfy({ $0 != nil })
                else { return nil }
                values.append(Int(value))
            }
        }
        values += Array(repeating: nil, count: 3 - values.count)
        (major, minor, patch) = (values[0], values[1], values[2])
        guard let hyphen else { return }
        let identifiers = text[text.index(after: hyphen)...].parts(at: ".")
        let allowed = identifiers.allSatisfy { identifier in
            !identifier.isEmpty
                && identifier.utf8.allSatisfy { $0 == 45 || (48...57).contains($0) || (65...90).contains($0 & 0xdf) }
        }
        guard allowed, values.allSatisfy({ $0 != nil }) else { return nil }
        prerelease = identifiers
    }

    /// The lowest version that it stands for.
    var lowest: SemanticVersion { SemanticVersion(major ?? 0, minor ?? 0, patch ?? 0, prerelease: prerelease) }

    /// The first version above all that it stands for; `nil` for none.
    var next: SemanticVersion? {
        guard let major else { return nil }
        guard let minor else { return SemanticVersion(major + 1, 0, 0) }
        guard patch != nil else { return SemanticVersion(major, minor + 1, 0) }
        return nil
    }
}

/// A set of versions in the notation of npm's node-semver, which most people know: `^1.2`, `~1.2.3`, `1.x`, `>=1.2 <2`,
/// `1.2 - 1.4`, and several with `||` between.
public struct VersionRange: Sendable, Equatable {
    private struct Comparator: Equatable {
        enum Relation { case less, lessOrEqual, greater, greaterOrEqual, equal }
        let relation: Relation
        let version: SemanticVersion

        func accepts(_ other: SemanticVersion) -> Bool {
            switch relation {
            case .less: other < version
            case .lessOrEqual: other <= version
            case .greater: other > version
            case .greaterOrEqual: other >= version
            case .equal: other == version
            }
        }
    }

    private let alternatives: [[Comparator]]

    /// `nil` for what is no range.
    public init?(_ text: String) {
        let bars = text.parts(at: "|")
        // Two bars stand together, or not at all.
        guard bars.count % 2 == 1, bars.enumerated().allSatisfy({ $0.offset % 2 == 0 || $0.element.isEmpty }) else {
            return nil
        }
        var alternatives: [[Comparator]] = []
        for part in text.parts(at: "|").enumerated().filter({ $0.offset % 2 == 0 }).map(\.element) {
            guard let comparators = Self.comparators(part.parts(at: " ", leavingOutEmpty: true)) else { return nil }
            alternatives.append(comparators)
        }
        self.alternatives = alternatives
    }

    /// A prerelease is wanted only where the range names one of the same three numbers.
    func accepts(_ version: SemanticVersion) -> Bool {
        alternatives.contains { comparators in
            comparators.allSatisfy { $0.accepts(version) }
                && (version.prerelease.isEmpty
                    || comparators.contains { !$0.version.prerelease.isEmpty && $0.version.hasSameNumbers(as: version) })
        }
    }

    private static func comparators(_ words: [Substring]) -> [Comparator]? {
        if words.count == 3, words[1] == "-" {
            guard let low = PartialVersion(words[0]), let high = PartialVersion(words[2]) else { return nil }
            let end = high.next.map { Comparator(relation: .less, version: $0) }
            let isAny = high.major == nil
            return [Comparator(relation: .greaterOrEqual, version: low.lowest)]
                + (isAny ? [] : [end ?? Comparator(relation: .lessOrEqual, version: high.lowest)])
        }
        var comparators: [Comparator] = []
        var rest = words[...]
        while var word = rest.popFirst() {
            let symbols = word.prefix { "<>=^~".contains($0) }
            word = word.dropFirst(symbols.count)
            // `>= 1.2` is written with a space, too.
            if word.isEmpty {
                guard !symbols.isEmpty, let next = rest.popFirst() else { return nil }
                word = next
            }
            guard let version = PartialVersion(word), let more = expand(String(symbols), version) else { return nil }
            comparators += more
        }
        return comparators
    }

    private static func expand(_ symbols: String, _ version: PartialVersion) -> [Comparator]? {
        func from(_ low: SemanticVersion, below high: SemanticVersion?) -> [Comparator] {
            [Comparator(relation: .greaterOrEqual, version: low)]
                + (high.map { [Comparator(relation: .less, version: $0)] } ?? [])
        }
        let low = version.lowest
        guard let major = version.major else { return ["<", ">"].contains(symbols) ? nil : [] }
        switch symbols {
        case "", "=": return version.next.map { from(low, below: $0) } ?? [Comparator(relation: .equal, version: low)]
        case ">=": return from(low, below: nil)
        case ">":
            return [
                version.next.map { Comparator(relation: .greaterOrEqual, version: $0) }
                    ?? Comparator(relation: .greater, version: low)
            ]
        case "<": return [Comparator(relation: .less, version: low)]
        case "<=":
            return [
                version.next.map { Comparator(relation: .less, version: $0) }
                    ?? Comparator(relation: .lessOrEqual, version: low)
            ]
        case "~", "~>":
            return from(
                low, below: version.minor.map { SemanticVersion(major, $0 + 1, 0) } ?? SemanticVersion(major + 1, 0, 0))
        case "^":
            // Nothing may change left of the first number that is not zero.
            if major > 0 || version.minor == nil { return from(low, below: SemanticVersion(major + 1, 0, 0)) }
            if let minor = version.minor, minor > 0 || version.patch == nil {
                return from(low, below: SemanticVersion(0, minor + 1, 0))
            }
            return from(low, below: SemanticVersion(0, 0, low.patch + 1))
        default: return nil
        }
    }
}
