import Foundation
import TestSupport
import Testing

/// docs/troubleshooting.md and the errors of the code, held against each other.
@Suite struct `The page of errors` {
    private let page: String

    init() throws { page = try String(contentsOfFile: Nginx.project + "/docs/troubleshooting.md", encoding: .utf8) }

    /// The literals of a source, with `…` for what is put into them.
    private func literals(_ source: Substring) -> [String] {
        var found: [String] = []
        var rest = source
        while let start = rest.firstIndex(of: "\"") {
            rest = rest[rest.index(after: start)...]
            var text = ""
            scan: while let character = rest.popFirst() {
                switch (character, rest.first) {
                case ("\"", _): break scan
                case ("\\", "("?):
                    var depth = 0
                    repeat {
                        depth += rest.first == "(" ? 1 : rest.first == ")" ? -1 : 0
                    } while rest.popFirst() != nil && depth > 0
                    text += "…"
                case ("\\", let next?):
                    text.append(next)
                    rest.removeFirst()
                default: text.append(character)
                }
            }
            found.append(text)
        }
        return found
    }

    private func parts(_ text: some StringProtocol) -> [String] {
        text.split(separator: "…").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " :,;()\"")) }
            .filter { $0.count > 2 }
    }

    @Test func `it has everything that a remote and a publish can fail by`() throws {
        for file in ["Upstream/UpstreamError.swift", "Publishing/Disk/PublishingError.swift"] {
            let source = try String(contentsOfFile: Nginx.project + "/Sources/" + file, encoding: .utf8)
            let start = try #require(source.range(of: "public var description")).upperBound
            let end = try #require(source.range(of: "public var remedy")).lowerBound
            let texts = literals(source[start..<end]).compactMap { parts($0).max { $0.count < $1.count } }
            #expect(texts.count > 10)
            for text in texts where text.count > 10 { #expect(page.contains(text), "\(file): \(text)") }
        }
    }

    @Test func `nothing in it is a message of another program`() throws {
        let sources = Nginx.project + "/Sources"
        let all = try FileManager.default.subpathsOfDirectory(atPath: sources).filter { $0.hasSuffix(".swift") }
            .map { try String(contentsOfFile: sources + "/" + $0, encoding: .utf8) }
            .flatMap { literals($0[...]) }.joined(separator: "\n")
        let system = [ENOSPC, EDQUOT, EACCES, EROFS].map { String(cString: strerror($0)) }
        var count = 0
        for section in page.components(separatedBy: "\n## ") where section.contains("| the cause says |") {
            for row in section.split(separator: "\n") where row.hasPrefix("| `") {
                for (number, code) in row.dropFirst(2).prefix(while: { $0 != "|" }).split(separator: "`").enumerated()
                where number % 2 == 0 {
                    for part in parts(code) where !system.contains(part) {
                        count += 1
                        #expect(all.contains(part), "\(row)")
                    }
                }
            }
        }
        #expect(count > 30)
    }
}
