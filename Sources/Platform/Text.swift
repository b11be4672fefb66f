// What strangers send is looked at byte by byte: to Swift, a letter and a sign that attaches itself to it (U+0D4E before `<`,
// U+0301 behind a quote, a line feed behind a carriage return) are one Character, and not equal to the one that is looked for.

extension String {
    /// For messages that repeat what somebody else said: control characters escaped, and cut at a bound, so that a server
    /// can neither forge a log line nor flood the log.
    public func printable(limit: Int = 300) -> String {
        var text = ""
        for scalar in unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: text += scalar.escaped(asASCII: true)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return unicodeScalars.count > limit ? text + "…" : text
    }
}

extension StringProtocol {
    /// The parts between the places where one ASCII character stands, whatever follows it; empty parts count unless they are
    /// left out.
    public func parts(at separator: Unicode.Scalar, atMost count: Int = .max, leavingOutEmpty: Bool = false)
        -> [SubSequence]
    {
        utf8.split(
            separator: UInt8(ascii: separator), maxSplits: count == .max ? .max : count - 1,
            omittingEmptySubsequences: leavingOutEmpty
        ).map { self[$0.startIndex..<$0.endIndex] }
    }

    /// The same text with something else in the place of some ASCII characters.
    ///
    /// - Parameter replacement: `nil` for what stays.
    public func replacing(_ replacement: (UInt8) -> StaticString?) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count)
        for byte in utf8 {
            // The bytes of other characters stay in any case.
            guard byte < 0x80, let other = replacement(byte) else {
                bytes.append(byte)
                continue
            }
            other.withUTF8Buffer { bytes += $0 }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As text and as the value of an attribute of HTML take it.
    public var htmlEscaped: String {
        replacing { byte in
            switch byte {
            case UInt8(ascii: "&"): "&amp;"
            case UInt8(ascii: "<"): "&lt;"
            case UInt8(ascii: ">"): "&gt;"
            case UInt8(ascii: "\""): "&quot;"
            case UInt8(ascii: "'"): "&#39;"
            default: nil
            }
        }
    }

    /// As the value of a label in Prometheus's text format and in OpenMetrics.
    public var metricLabelEscaped: String {
        replacing { byte in
            switch byte {
            case UInt8(ascii: "\\"): "\\\\"
            case UInt8(ascii: "\""): "\\\""
            case UInt8(ascii: "\n"): "\\n"
            default: nil
            }
        }
    }

    /// As a value of logfmt, in quotes where it needs them. Control characters must have been escaped before.
    public var logfmtValue: String {
        let isPlain =
            !isEmpty
            && utf8.allSatisfy {
                $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "\\")
            }
        if isPlain { return String(self) }
        let escaped = replacing { byte in
            switch byte {
            case UInt8(ascii: "\\"): "\\\\"
            case UInt8(ascii: "\""): "\\\""
            default: nil
            }
        }
        return "\"" + escaped + "\""
    }

    /// As one word of a POSIX shell (sh(1), single quotes): nothing in it can end it.
    public var shellQuoted: String { "'" + replacing { $0 == UInt8(ascii: "'") ? "'\\''" : nil } + "'" }

    /// As one segment of a URL's path (RFC 3986, section 3.3): all but what is unreserved in percent-encoding.
    public var urlSegment: String {
        var text = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += (byte < 0x10 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}
