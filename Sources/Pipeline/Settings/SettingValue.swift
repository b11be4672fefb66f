/// How the text of a value is read. Each answers `nil` for what it does not accept, and says what it would.
public enum SettingValue {
    /// What a duration looks like.
    public static let durations = "seconds such as 60 or 0.5, or a number with a unit: 500ms, 30s, 5m, 1h"
    static let sizes = "bytes, or a number with a unit: 512KB, 10MB, 4GB"
    static let counts = "a whole number, 0 or more"
    static let toggles = "on or off"
    static let patterns = "patterns of gitignore such as *.html, /docs/ or !keep.txt"

    /// Not negative, at most ten years.
    public static func duration(_ text: String) -> Duration? {
        let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
        let unit = units.first { text.hasSuffix($0.0) }
        let number = unit.map { text.dropLast($0.0.count) } ?? text[...]
        guard let value = decimal(number) else { return nil }
        let seconds = value * (unit?.1 ?? 1)
        return seconds <= 315_360_000 ? .seconds(seconds) : nil
    }

    /// Bytes; decimal units, as disks are sold.
    static func size(_ text: String) -> Int64? {
        let units: [(String, Double)] = [
            ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9),
            ("TB", 1e12),
            ("B", 1),
        ]
        let unit = units.first { text.lowercased().hasSuffix($0.0.lowercased()) }
        let number = unit.map { text.dropLast($0.0.count) } ?? text[...]
        guard let value = decimal(number.filter { $0 != " " }[...]) else { return nil }
        let bytes = value * (unit?.1 ?? 1)
        return bytes < 9e18 ? Int64(bytes) : nil
    }

    static func count(_ text: String) -> Int? {
        guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int(text)
    }

    static func toggle(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "on", "true", "yes", "1": true
        case "off", "false", "no", "0": false
        default: nil
        }
    }

    /// The patterns of a variable: one a line, or with commas between; `\,` is a comma of the pattern, as gitignore itself
    /// reads it. Blanks before a pattern are how people lay out a list, not a part of it.
    static func patterns(_ text: String) -> [String] {
        text.utf8.split(separator: UInt8(ascii: "\n")).map { String(Substring($0)) }.flatMap { line in
            line.drop(while: isBlank).hasPrefix("#") ? [] : pieces(line)
        }
    }

    private static func pieces(_ line: String) -> [String] {
        var (pieces, isEscaped) = ([""], false)
        for scalar in line.unicodeScalars {
            if scalar == ",", !isEscaped {
                pieces.append("")
            } else {
                pieces[pieces.count - 1].unicodeScalars.append(scalar)
            }
            isEscaped = scalar == "\\" && !isEscaped
        }
        return pieces.map { String($0.drop(while: isBlank)) }
    }

    private static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }

    /// Digits with at most one point: none of what `Double` takes beyond that (`inf`, `0x1p3`, `1e9`).
    private static func decimal(_ text: Substring) -> Double? {
        guard text.contains(where: \.isNumber), text.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }) else {
            return nil
        }
        return Double(text)
    }
}
