import Foundation
import TestSupport
import Testing

/// What hooks leave to be seen.
enum HookLog {
    /// What a hook printed.
    static func lines(_ log: String) -> [String] {
        log.split(separator: "\n").compactMap { line in
            guard line.contains(" info hook "), let range = line.range(of: "line=") else { return nil }
            let text = line[range.upperBound...]
            guard text.hasPrefix("\"") else { return String(text) }
            // As logfmt has it: a backslash before a quote and before a backslash.
            var (plain, rest) = (String.UnicodeScalarView(), text.dropFirst().dropLast().unicodeScalars[...])
            while let scalar = rest.popFirst() { plain.append(scalar == "\\" ? rest.popFirst() ?? scalar : scalar) }
            return String(plain)
        }
    }

    /// Waits for the ends of processes whose ids are in a file.
    static func areGone(_ file: String) async throws {
        let pids = try String(contentsOfFile: file, encoding: .utf8).split(whereSeparator: \.isWhitespace)
        #expect(!pids.isEmpty)
        for pid in pids.compactMap({ Int32($0) }) {
            try await eventually(within: 5, "\(pid) is gone") {
                kill(pid, 0) != 0
                    || (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8))?.contains(") Z ") == true
            }
        }
    }
}
