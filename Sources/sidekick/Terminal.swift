import FoundationEssentials
import Glibc

/// Color on a terminal, unless NO_COLOR says otherwise (no-color.org).
enum Terminal {
    enum Color: String { case red = "31", green = "32", yellow = "33" }

    static func colored(_ text: String, _ color: Color) -> String {
        isColored ? "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m" : text
    }

    private static var isColored: Bool {
        isatty(STDOUT_FILENO) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
    }
}
