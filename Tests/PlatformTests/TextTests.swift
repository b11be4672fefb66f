import Foundation
import Platform
import TestSupport
import Testing

/// Signs that make one Character of themselves and a sign that an escaper looks for: before it, and behind it.
private let glue = ["\u{0D4E}", "\u{111C2}", "\u{11A3A}", "\u{11D46}", "\u{0600}", ""]
private let tails = ["\u{0301}", "\u{200D}", "\u{FE0F}", "\r\n", ""]

@Suite struct `Text of strangers` {
    /// Every sign that some target minds, between signs that attach themselves to it.
    private var texts: [String] {
        let signs = ["<", ">", "&", "\"", "'", "\\", "\n", "\r\n", " ", "=", ";", "$(x)", "`x`"]
        return glue.flatMap { before in signs.flatMap { sign in tails.map { before + sign + $0 } } } + ["", "a", "é"]
    }

    @Test func `HTML has no sign that ends a text or an attribute`() {
        for text in texts {
            let escaped = text.htmlEscaped
            #expect(!escaped.utf8.contains { "<>\"'".utf8.contains($0) }, "\(text.debugDescription)")
            var back = escaped
            for (entity, sign) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
                back = back.replacingOccurrences(of: entity, with: sign, options: .literal)
            }
            #expect(Array(back.utf8) == Array(text.utf8))
        }
    }

    @Test func `a shell takes it for one word`() throws {
        let all = texts.filter { !$0.utf8.contains(0) }
        let script = "printf '%s\\0' " + all.map(\.shellQuoted).joined(separator: " ")
        let output = try Command.run(["sh", "-c", script]).output
        #expect(
            output.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { Array($0) }
                == all.map { Array($0.utf8) })
    }

    @Test func `a label of a metric is one line and one value`() throws {
        for text in texts {
            let escaped = Array(text.metricLabelEscaped.utf8)
            #expect(!escaped.contains(10))
            var back: [UInt8] = []
            var rest = escaped[...]
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\\"), let next = rest.popFirst() {
                    back.append(next == UInt8(ascii: "n") ? 10 : next)
                } else {
                    #expect(byte != UInt8(ascii: "\""))
                    back.append(byte)
                }
            }
            #expect(back == Array(text.utf8))
        }
    }

    @Test func `a value of logfmt ends where it was meant to`() throws {
        for text in texts.map({ $0.printable() }) {
            let value = Array(text.logfmtValue.utf8)
            guard value.first == UInt8(ascii: "\"") else {
                #expect(!value.isEmpty && value == Array(text.utf8) && !value.contains { " =\"\\".utf8.contains($0) })
                continue
            }
            var back: [UInt8] = []
            var rest = value[...].dropFirst()
            while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
                back.append(byte == UInt8(ascii: "\\") ? rest.popFirst() ?? 0 : byte)
            }
            #expect(rest.isEmpty && back == Array(text.utf8), "\(text.debugDescription)")
        }
    }

    @Test func `a segment of a URL is one`() {
        for text in texts {
            let segment = text.urlSegment
            #expect(!segment.utf8.contains { "/?#%".utf8.contains($0) && $0 != UInt8(ascii: "%") })
            #expect(segment.removingPercentEncoding.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    @Test func `it is cut at a byte, whatever attaches itself to it`() {
        #expect("a\u{0301} b\u{0301}=c".parts(at: " ").map(String.init) == ["a\u{0301}", "b\u{0301}=c"])
        #expect("a'\u{0301}b''".parts(at: "'").map { Array($0.utf8) } == [[97], [0xCC, 0x81, 98], [], []])
        #expect("a  b".parts(at: " ", leavingOutEmpty: true).map(String.init) == ["a", "b"])
        #expect("a b c".parts(at: " ", atMost: 2).map(String.init) == ["a", "b c"])
        #expect("".parts(at: " ").map(String.init) == [""])
    }
}
