/// A set of versions in the notation of npm's node-semver, which most people know: `^1.2`, `~1.2.3`, `1.x`, `>=1.2 <2`,
/// `1.2 - 1.4`, and several with `||` between. It takes what npm takes, and means the same: a test asks npm.
public struct VersionRange: Sendable, Equatable {
    private typealias Bytes = ArraySlice<UInt8>

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

    /// All comparators of one of them hold; none at all is every release.
    private let alternatives: [[Comparator]]

    /// `nil` for what is no range.
    public init?(_ text: String) {
        let words = text.unicodeScalars.split(whereSeparator: Self.isSpace)
        guard words.allSatisfy({ $0.allSatisfy(\.isASCII) }) else { return nil }
        let line = words.map { $0.map { UInt8($0.value) } }.joined(separator: [UInt8(ascii: " ")])
        var alternatives: [[Comparator]] = []
        for part in Self.alternatives(Array(line)) {
            guard let comparators = Self.comparators(part.split(separator: UInt8(ascii: " "))) else { return nil }
            alternatives.append(comparators)
        }
        // npm's `*` swallows what stands beside it, and with that the prereleases that are named there.
        self.alternatives = alternatives.contains([]) ? [[]] : alternatives
    }

    /// What JavaScript takes for white space (ECMAScript, section 12.2 and 12.3).
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0d, 0x20, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff: true
        default: false
        }
    }

    /// A prerelease is wanted only where the range names one of the same three numbers.
    func accepts(_ version: SemanticVersion) -> Bool {
        alternatives.contains { comparators in
            comparators.allSatisfy { $0.accepts(version) }
                && (version.prerelease.isEmpty
                    || comparators.contains { !$0.version.prerelease.isEmpty && $0.version.hasSameNumbers(as: version) })
        }
    }

    // MARK: words

    private static func alternatives(_ line: [UInt8]) -> [Bytes] {
        let bar = UInt8(ascii: "|")
        var parts: [Bytes] = []
        var (start, place) = (0, 0)
        while place + 1 < line.count {
            if line[place] == bar, line[place + 1] == bar {
                parts.append(line[start..<place])
                start = place + 2
                place = start
            } else {
                place += 1
            }
        }
        return parts + [line[start...]]
    }

    private static func comparators(_ words: [Bytes]) -> [Comparator]? {
        if let hyphen = words.firstIndex(where: { $0.elementsEqual("-".utf8) }) {
            return comparators(from: words[..<hyphen], to: words[(hyphen + 1)...])
        }
        guard let words = joined(words) else { return nil }
        var comparators: [Comparator] = []
        for word in words {
            guard let more = Self.comparators(word) else { return nil }
            comparators += more
        }
        return comparators
    }

    /// `> 1.2` and `~ 1.2` are written with a space, too. npm takes away the one that stands right behind the operator.
    private static func joined(_ words: [Bytes]) -> [Bytes]? {
        var result: [Bytes] = []
        var rest = words[...]
        while var word = rest.popFirst() {
            while endsInComparison(word), let next = rest.first {
                let version = next.drop(while: isFiller)
                // One that is taken away leaves the next, and an operator by itself is nothing.
                guard let first = version.first else { return nil }
                guard "0123456789xX*".utf8.contains(first) else { break }
                word = word + next
                rest.removeFirst()
            }
            result.append(word)
        }
        rest = result[...]
        result = []
        while let word = rest.popFirst() {
            let isLone = ["^", "~", "~>"].contains { word.elementsEqual($0.utf8) }
            result.append(isLone ? word.prefix(1) + (rest.popFirst() ?? []) : word)
        }
        return result
    }

    private static func endsInComparison(_ word: Bytes) -> Bool {
        let run = word.reversed().prefix { isFiller($0) || isAngle($0) }
        let tail = run.prefix { !isAngle($0) }
        return tail.elementsEqual("=".utf8) || (tail.isEmpty && !run.isEmpty)
    }

    private static func isAngle(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") }

    /// What npm leaves out of account before a version.
    private static func isFiller(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "v") || byte == UInt8(ascii: "=") }

    // MARK: what they mean

    private static func comparators(from low: ArraySlice<Bytes>, to high: ArraySlice<Bytes>) -> [Comparator]? {
        func version(_ words: ArraySlice<Bytes>) -> PartialVersion? {
            guard let last = words.last, words.dropLast().allSatisfy({ $0.allSatisfy(isFiller) }) else { return nil }
            return PartialVersion(last.drop(while: isFiller))
        }
        func exact(_ relation: Comparator.Relation, _ words: ArraySlice<Bytes>) -> [Comparator]? {
            words.count == 1 ? Self.exact(relation, words[words.startIndex]) : nil
        }
        guard let lowest = version(low), let highest = version(high),
            let begin = lowest.isComplete ? exact(.greaterOrEqual, low) : atLeast(lowest)
        else { return nil }
        let end: [Comparator]?
        if !highest.isComplete {
            end = below(next(after: highest))
        } else if highest.prerelease.isEmpty {
            end = exact(.lessOrEqual, high)
        } else {
            end = comparator(.lessOrEqual, highest.lowest)
        }
        return end.map { begin + $0 }
    }

    private static func comparators(_ word: Bytes) -> [Comparator]? {
        if word.first == UInt8(ascii: "^") {
            return PartialVersion(word.dropFirst().drop(while: isFiller)).flatMap(caret)
        }
        if word.first == UInt8(ascii: "~") {
            let rest = word.dropFirst()
            let version = rest.first == UInt8(ascii: ">") ? rest.dropFirst() : rest
            return PartialVersion(version.drop(while: isFiller)).flatMap(tilde)
        }
        let (relation, rest) = relation(word)
        guard let version = PartialVersion(rest.drop(while: isFiller)) else {
            // npm leaves out the first star wherever it stands, with what compares before it: `1.2.3*` is `1.2.3`.
            guard let star = word.firstIndex(of: UInt8(ascii: "*")) else { return nil }
            var start = star
            if start > word.startIndex, word[start - 1] == UInt8(ascii: "=") { start -= 1 }
            if start > word.startIndex, isAngle(word[start - 1]) { start -= 1 }
            let (relation, rest) = Self.relation(word[..<start] + word[(star + 1)...])
            return exact(relation, rest)
        }
        guard !version.isComplete else { return exact(relation, rest) }
        switch relation {
        case .equal: return both(atLeast(version), below(next(after: version)))
        case .greaterOrEqual: return atLeast(version)
        case .lessOrEqual: return below(next(after: version))
        case .less: return version.major == nil ? nothing : below(version.lowest)
        case .greater: return version.major == nil ? nothing : next(after: version).flatMap(atLeast)
        }
    }

    private static func caret(_ version: PartialVersion) -> [Comparator]? {
        guard let major = version.major else { return [] }
        // Nothing may change left of the first number that is not zero.
        let end =
            switch (version.minor, version.patch) {
            case (let minor?, let patch?) where major == 0 && minor == 0: next(major, minor, patch)
            case (let minor?, _) where major == 0 && (minor > 0 || version.patch == nil): next(major, minor)
            default: next(major)
            }
        return both(atLeast(version), below(end))
    }

    private static func tilde(_ version: PartialVersion) -> [Comparator]? {
        guard let major = version.major else { return [] }
        return both(atLeast(version), below(version.minor.map { next(major, $0) } ?? next(major)))
    }

    /// With an operator before it and a `v` at most.
    private static func exact(_ relation: Comparator.Relation, _ text: Bytes) -> [Comparator]? {
        guard let version = SemanticVersion(text) else { return nil }
        if relation == .greaterOrEqual, text.elementsEqual("0.0.0".utf8) { return [] }
        return [Comparator(relation: relation, version: version)]
    }

    private static func relation(_ word: Bytes) -> (Comparator.Relation, rest: Bytes) {
        let operators: [(String, Comparator.Relation)] = [
            ("<=", .lessOrEqual), (">=", .greaterOrEqual), ("<", .less), (">", .greater), ("=", .equal),
        ]
        for (text, relation) in operators where word.starts(with: text.utf8) {
            return (relation, word.dropFirst(text.utf8.count))
        }
        return (.equal, word)
    }

    // MARK: comparators; nil where a number is larger than npm counts

    private static func comparator(_ relation: Comparator.Relation, _ version: SemanticVersion) -> [Comparator]? {
        version.isInBounds ? [Comparator(relation: relation, version: version)] : nil
    }

    /// All from the lowest that it stands for. To npm, `>=0.0.0` says nothing.
    private static func atLeast(_ version: PartialVersion) -> [Comparator]? { atLeast(version.lowest) }

    private static func atLeast(_ version: SemanticVersion) -> [Comparator]? {
        version == SemanticVersion(0, 0, 0) ? [] : comparator(.greaterOrEqual, version)
    }

    /// All below it and its prereleases; everything where there is none.
    private static func below(_ version: SemanticVersion?) -> [Comparator]? {
        guard var version else { return [] }
        version.prerelease = [.zero]
        return comparator(.less, version)
    }

    /// `<0.0.0-0`, the lowest version that there is.
    private static let nothing = below(SemanticVersion(0, 0, 0))

    private static func both(_ one: [Comparator]?, _ other: [Comparator]?) -> [Comparator]? {
        guard let one, let other else { return nil }
        return one + other
    }

    /// The first version above all that begin with these numbers.
    private static func next(_ major: Int, _ minor: Int? = nil, _ patch: Int? = nil) -> SemanticVersion {
        guard let minor else { return SemanticVersion(major + 1, 0, 0) }
        guard let patch else { return SemanticVersion(major, minor + 1, 0) }
        return SemanticVersion(major, minor, patch + 1)
    }

    private static func next(after version: PartialVersion) -> SemanticVersion? {
        version.major.map { major in version.minor.map { next(major, $0) } ?? next(major) }
    }
}
