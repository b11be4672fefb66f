import Platform

/// A version as Semantic Versioning 2.0.0 orders them; what it says of the build plays no part.
struct SemanticVersion: Sendable, Equatable, Comparable {
    /// What stands between two dots after the hyphen: letters, digits and hyphens of ASCII.
    struct Identifier: Sendable, Equatable, Comparable {
        private let text: String
        private let isNumber: Bool

        static let zero = Identifier([UInt8(ascii: "0")])!

        /// `nil` for what is none, such as a number with a zero in front.
        init?(_ bytes: ArraySlice<UInt8>) {
            guard SemanticVersion.isIdentifier(bytes) else { return nil }
            isNumber = bytes.allSatisfy(\.isDigit)
            guard !isNumber || bytes.count == 1 || bytes.first != UInt8(ascii: "0") else { return nil }
            text = String(decoding: bytes, as: UTF8.self)
        }

        /// Numbers of any size by their value, and before all else.
        static func < (left: Identifier, right: Identifier) -> Bool {
            guard left.isNumber == right.isNumber else { return left.isNumber }
            let (one, other) = (left.text.utf8, right.text.utf8)
            if left.isNumber, one.count != other.count { return one.count < other.count }
            return one.lexicographicallyPrecedes(other)
        }
    }

    var major: Int
    var minor: Int
    var patch: Int
    /// The dot-separated identifiers after the hyphen; none for a release.
    var prerelease: [Identifier] = []

    init(_ major: Int, _ minor: Int, _ patch: Int, prerelease: [Identifier] = []) {
        (self.major, self.minor, self.patch, self.prerelease) = (major, minor, patch, prerelease)
    }

    /// Reads all three numbers; a `v` in front is left out of account, as tags have it.
    init?(_ text: some StringProtocol) {
        guard text.utf16.count <= PartialVersion.longest else { return nil }
        let isSpace = VersionRange.isSpace
        let inner = text.unicodeScalars.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        guard inner.allSatisfy(\.isASCII) else { return nil }
        self.init(inner.map { UInt8($0.value) }[...])
    }

    /// Reads what is nothing but a version, with a `v` in front or without.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count <= PartialVersion.longest,
            let partial = PartialVersion(bytes.first == UInt8(ascii: "v") ? bytes.dropFirst() : bytes),
            partial.isComplete
        else { return nil }
        self = partial.lowest
        guard isInBounds else { return nil }
    }

    /// Whether npm counts so far: no further than it counts exactly, 2⁵³ − 1.
    var isInBounds: Bool { [major, minor, patch].allSatisfy { $0 <= PartialVersion.largest } }

    static func isIdentifier(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty
            && bytes.allSatisfy { $0 == UInt8(ascii: "-") || $0.isDigit || (65...90).contains($0 & 0xdf) }
    }

    static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        let (one, other) = ([left.major, left.minor, left.patch], [right.major, right.minor, right.patch])
        guard one == other else { return one.lexicographicallyPrecedes(other) }
        // A prerelease comes before its release.
        if left.prerelease.isEmpty || right.prerelease.isEmpty {
            return !left.prerelease.isEmpty && right.prerelease.isEmpty
        }
        return left.prerelease.lexicographicallyPrecedes(right.prerelease)
    }

    func hasSameNumbers(as other: SemanticVersion) -> Bool {
        (major, minor, patch) == (other.major, other.minor, other.patch)
    }
}

/// A version of which the last numbers may be missing, or be `x` or `*`.
struct PartialVersion {
    /// The longest text of a version, in bytes, and the largest number in one, as npm bounds them.
    static let (longest, largest) = (256, 9_007_199_254_740_991)

    /// `nil` for any, and then what follows is any as well. One above the largest stands for all above it.
    let major: Int?
    let minor: Int?
    let patch: Int?
    /// Of a version whose three numbers are given.
    let prerelease: [SemanticVersion.Identifier]

    init?(_ text: ArraySlice<UInt8>) {
        guard text.count <= Self.longest else { return nil }
        let plus = text.firstIndex(of: UInt8(ascii: "+"))
        let hyphen = text[..<(plus ?? text.endIndex)].firstIndex(of: UInt8(ascii: "-"))
        let numbers = Self.parts(text[..<(hyphen ?? plus ?? text.endIndex)])
        guard (1...3).contains(numbers.count), numbers.count == 3 || (plus ?? hyphen) == nil else { return nil }
        if let plus {
            let build = Self.parts(text[(plus + 1)...])
            guard build.allSatisfy(SemanticVersion.isIdentifier) else { return nil }
        }
        var identifiers: [SemanticVersion.Identifier] = []
        if let hyphen {
            for part in Self.parts(text[(hyphen + 1)..<(plus ?? text.endIndex)]) {
                guard let identifier = SemanticVersion.Identifier(part) else { return nil }
                identifiers.append(identifier)
            }
        }
        var values: [Int?] = []
        for number in numbers {
            guard let value = Self.value(number) else { return nil }
            values.append(values.contains(nil) ? nil : value)
        }
        values += Array(repeating: nil, count: 3 - values.count)
        (major, minor, patch) = (values[0], values[1], values[2])
        prerelease = values[2] == nil ? [] : identifiers
    }

    private static func parts(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    }

    /// The number, or `nil` within for any.
    private static func value(_ text: ArraySlice<UInt8>) -> Int?? {
        if text.count == 1, "xX*".utf8.contains(text[text.startIndex]) { return .some(nil) }
        guard !text.isEmpty, text.allSatisfy(\.isDigit), text.count == 1 || text.first != UInt8(ascii: "0") else {
            return nil
        }
        return text.reduce(0) { min($0 * 10 + Int($1 - UInt8(ascii: "0")), largest + 1) }
    }

    /// Whether it stands for one version.
    var isComplete: Bool { patch != nil }

    /// The lowest version that it stands for.
    var lowest: SemanticVersion { SemanticVersion(major ?? 0, minor ?? 0, patch ?? 0, prerelease: prerelease) }
}
