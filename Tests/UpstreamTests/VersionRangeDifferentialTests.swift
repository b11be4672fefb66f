import Foundation
import Platform
import TestSupport
import Testing

@testable import Upstream

/// What npm's node-semver says, many questions in one process.
private struct NodeSemver {
    struct Question: Encodable {
        let range: String
        let tags: [String]
    }

    struct Answer: Decodable {
        let isRange: Bool
        /// Of the tags in the range the highest, and those that it takes for equal.
        let highest: [String]
    }

    private static let program = """
        const { execSync } = require("child_process");
        const { dirname, join } = require("path");
        function load() {
            const own = join(dirname(process.execPath), "..", "lib", "node_modules");
            const places = [() => own, () => execSync("npm root -g").toString().trim()]
                .map((root) => () => join(root(), "npm", "node_modules", "semver"));
            for (const place of [...places, () => "/usr/share/nodejs/semver"]) {
                try { return require(place()); } catch {}
            }
            throw new Error("no node-semver");
        }
        const semver = load();
        const questions = JSON.parse(require("fs").readFileSync(0));
        console.log(JSON.stringify(questions.map(({ range, tags }) => {
            const highest = semver.maxSatisfying(tags, range);
            return {
                isRange: semver.validRange(range) !== null,
                highest: highest === null ? []
                    : tags.filter((tag) => semver.satisfies(tag, range) && semver.compare(tag, highest) === 0),
            };
        })));
        """

    static func ask(_ questions: [Question]) throws -> [Answer] {
        let input = try JSONEncoder().encode(questions)
        let output = try Command.run(["node", "-e", program], input: input).output
        return try JSONDecoder().decode([Answer].self, from: output)
    }
}

/// Ranges and tags of few numbers, so that they meet, and of everything that has ever been read differently.
private struct RandomVersions {
    private var numbers: SeededNumbers
    /// The numbers of the range: of those there are tags as well, with other prereleases.
    private var named: [String] = []

    init(numbers: SeededNumbers) { self.numbers = numbers }

    private static let digits = ["0", "0", "0", "1", "1", "1", "2", "2", "3", "10"]
    private static let oddNumbers = [
        "00", "01", "4294967295", "4294967296", "9007199254740990", "9007199254740991", "9007199254740992",
        "9007199254740993", "99999999999999999999999", "",
    ]
    private static let identifiers = ["0", "1", "2", "10", "a", "alpha", "beta", "rc", "x", "A"]
    private static let oddIdentifiers = [
        "00", "01", "-", "-1", "--1", "0a", "1-", "v", "9007199254740991", "9007199254740992", "9007199254740993",
        "18446744073709551615", "18446744073709551616", "99999999999999999999", "100000000000000000000", "", "é",
    ]
    private static let fillers = ["v", "=", "v=", "vv", " ", "= ", "v "]
    private static let operators = [
        "", "", "", "^", "^", "~", "~", "~>", "<", "<=", ">", ">=", "=", "^=", "~=", "~>=", "< =", "> ", "~ ", "^ ",
        "~ >",
        "<>", "==", "=<", "^~", "~> ", ">= ", "= ", "! ",
    ]
    private static let separators = [
        " ", " ", " ", "\t", "  ", " - ", " - ", "||", " || ", "|", ",", "\n", "\u{a0}", "",
    ]
    private static let letters = [
        "0", "1", "x", "*", ".", "-", "+", "v", "V", "=", "<", ">", "~", "^", "|", " ", "\t", "\u{a0}", "\u{301}", "a",
        "é",
    ]

    private mutating func identifier() -> String {
        if numbers.isOne(in: 200) { return String(repeating: "a", count: Int.random(in: 240...260, using: &numbers)) }
        return numbers.pick(numbers.isOne(in: 6) ? Self.oddIdentifiers : Self.identifiers)
    }

    private mutating func identifiers(after sign: String) -> String {
        sign + (0..<Int.random(in: 1...3, using: &numbers)).map { _ in identifier() }.joined(separator: ".")
    }

    private mutating func version(isTag: Bool) -> String {
        let count = isTag ? 3 : numbers.pick([1, 2, 2, 3, 3, 3, 3, 3, 4])
        var parts: [String] = []
        for _ in 0..<count {
            if numbers.isOne(in: 40) {
                parts.append(numbers.pick(Self.oddNumbers))
            } else {
                parts.append(
                    !isTag && numbers.isOne(in: 6) ? numbers.pick(["x", "X", "*"]) : numbers.pick(Self.digits))
            }
        }
        let text = parts.joined(separator: ".")
        if count == 3, text.utf8.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: ".") }) { named.append(text) }
        return text + suffix()
    }

    private mutating func suffix() -> String {
        (numbers.isOne(in: 3) ? identifiers(after: "-") : "") + (numbers.isOne(in: 10) ? identifiers(after: "+") : "")
    }

    mutating func question() -> NodeSemver.Question {
        named = []
        let range = range()
        let numbers = named
        return NodeSemver.Question(range: range, tags: (0..<6).map { _ in tag(like: numbers) })
    }

    private mutating func tag(like others: [String]) -> String {
        let version = others.isEmpty || numbers.isOne(in: 2) ? version(isTag: true) : numbers.pick(others) + suffix()
        let text = (numbers.isOne(in: 3) ? "v" : "") + version
        return numbers.isOne(in: 40) ? numbers.mutate(text, with: Self.letters) : text
    }

    private mutating func range() -> String {
        var text = ""
        for number in 0..<Int.random(in: 1...4, using: &numbers) {
            if number > 0 { text += numbers.pick(Self.separators) }
            text += numbers.pick(Self.operators)
            if numbers.isOne(in: 8) { text += numbers.pick(Self.fillers) }
            text += numbers.isOne(in: 12) ? numbers.pick(["*", "0.0.0", "0", "x"]) : version(isTag: false)
            // Few ranges have many parts.
            if numbers.isOne(in: 2) { break }
        }
        return numbers.isOne(in: 6) ? numbers.mutate(text, with: Self.letters) : text
    }
}

@Suite struct `Ranges of versions, beside npm's` {
    /// As `RefSelection` has it.
    private static func answer(_ question: NodeSemver.Question) -> (isRange: Bool, highest: String?) {
        guard let range = VersionRange(question.range) else { return (false, nil) }
        let versions = question.tags.compactMap { tag in SemanticVersion(tag).map { ($0, tag) } }
        return (true, versions.filter { range.accepts($0.0) }.max { $0.0 < $1.0 }?.1)
    }

    /// Where we differ on purpose.
    private static func isException(_ question: NodeSemver.Question) -> Bool {
        // npm compares identifiers of more than 53 bits as floating-point numbers, and so takes some for equal that are not.
        // Semantic Versioning has no bound.
        var digits: Set<String> = []
        for text in question.tags + [question.range] {
            for part in text.utf8.split(whereSeparator: { !$0.isDigit }) where part.count > 15 {
                digits.insert(part.asText)
            }
        }
        if Set(digits.compactMap { Double($0) }).count < digits.count { return true }
        // A version of more than 256 letters is none to npm, which it finds out after it has taken some of them away.
        if question.range.utf8.count > 256,
            question.range.split(whereSeparator: \.isWhitespace).contains(where: { $0.utf8.count > 256 })
        {
            return true
        }
        // npm makes `1.2.3-v` of `1.2.3-v= *`, and nothing of `1.2.3-1v= *`.
        return question.range.contains("v=") && question.range.firstMatch(of: /[^\s<>|]v=\s+[v=]*\*/) != nil
    }

    /// Of these the highest is chosen.
    private static let tags = [
        "0.0.1", "v0.1.0", "1.0.0-0", "1.0.0--1", "1.0.0-rc.1", "1.0.0", "1.2.3-alpha", "1.2.3", "v1.2.4", "1.3.0",
        "2.0.0-rc.1", "2.0.0", "3.0.4294967296", "v3.1.0-00", "4.0.0-rc.1",
    ]

    /// A process of node's takes longer than all of them.
    private static let ranges: [(String, highest: String?)] = [
        ("\t^1.2.3\u{a0}", "1.3.0"), ("^=1.2.3", "1.3.0"), ("~=1.2.3", "v1.2.4"), ("~>=1.2.3", "v1.2.4"),
        ("~ > 1.2.3", "v1.2.4"), ("^ = 1.2.3", "1.3.0"), ("< =1.2", "v1.2.4"), ("1.x.3", "1.3.0"),
        ("x.1.2", "3.0.4294967296"), ("1.x.x-alpha+build", "1.3.0"), ("v=1.2", "v1.2.4"), ("= v 1 - 2", "2.0.0"),
        ("1.2.3*", "1.2.3"), ("1.2.3> *", "1.2.3"), ("3.0.4294967296", "3.0.4294967296"), (">x", nil), ("<*", nil),
        (">x || 1", "1.3.0"), ("1.0.0-0 - 1.0.0-1", "1.0.0-0"), ("1.0.0-0 - 1.0.0-rc", "1.0.0--1"),
        // No prerelease of what is not reached, and none beside every version.
        ("^1.0.0 2.0.0-rc.1", nil), ("2.0.0-rc.1", "2.0.0-rc.1"), ("<=2.0.0-rc.1 || 0", "2.0.0-rc.1"),
        ("4.0.0-rc.1 || *", "3.0.4294967296"), ("4.0.0-rc.1 || >=0.0.0", "3.0.4294967296"),
        ("4.0.0-rc.1 || >=0.x", "3.0.4294967296"), ("4.0.0-rc.1 || >=v0.0.0", "4.0.0-rc.1"),
    ]

    private static let noRanges = [
        "==1.2.3", "v=1.2.3", "=1.2.3 - 2", "> = 1.2", "= v 1.2", "~~1", "^ ^1", "~ =v 1", "1.2-a", "1.2.3-01",
        "1.2.3+",
        "^9007199254740991", ">1.9007199254740991", "9007199254740992.0.0", "|| |", "1.2.3*-a*", "V1", "1.2\u{301}",
        "- 1",
        "1 - 2 - 3", "^1.2.3* 1",
    ]

    @Test func `what npm reads is read, and what it does not is no range`() throws {
        let ranges = Self.ranges.map { NodeSemver.Question(range: $0.0, tags: Self.tags) }
        for ((question, answer), (_, highest)) in zip(zip(ranges, try NodeSemver.ask(ranges)), Self.ranges) {
            let ours = Self.answer(question)
            #expect(ours.isRange && ours.highest == highest, "\(question.range): \(ours)")
            #expect(answer.isRange && answer.highest.first == highest, "\(question.range): \(answer)")
        }
        let others = Self.noRanges.map { NodeSemver.Question(range: $0, tags: []) }
        for (question, answer) in zip(others, try NodeSemver.ask(others)) {
            #expect(VersionRange(question.range) == nil && !answer.isRange, "\(question.range): \(answer)")
        }
    }

    @Test func `identifiers are compared by their value, whatever their size`() throws {
        let ordered = [
            "0", "9", "10", "9007199254740992", "9007199254740993", "18446744073709551616", "-", "-1", "0a", "A", "a",
        ]
        let versions = try ordered.map { try #require(SemanticVersion("1.0.0-\($0)")) }
        for (one, other) in zip(versions, versions.dropFirst()) { #expect(one < other && !(other < one)) }
    }

    @Test func `npm decides the same on random ranges and tags`() throws {
        var random = RandomVersions(numbers: SeededNumbers(seed: SeededNumbers.seed))
        var questions: [NodeSemver.Question] = []
        while questions.count < Differential.count(2_500) {
            let question = random.question()
            if !Self.isException(question) { questions.append(question) }
        }
        var (ranges, choices) = (0, 0)
        for (question, answer) in zip(questions, try NodeSemver.ask(questions)) {
            let ours = Self.answer(question)
            let isSame =
                ours.isRange == answer.isRange
                && (ours.highest.map { answer.highest.contains($0) } ?? answer.highest.isEmpty)
            #expect(isSame, "\(question): \(ours), npm: \(answer)")
            if ours.isRange { ranges += 1 }
            if ours.highest != nil { choices += 1 }
        }
        // Neither nonsense only nor none.
        #expect(ranges > questions.count / 3 && ranges < questions.count * 9 / 10, "\(ranges)")
        #expect(choices > questions.count / 5, "\(choices)")
    }
}
