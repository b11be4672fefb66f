import Foundation

/// A call that changes the disk or syncs it, as strace saw it.
public struct SystemCall: Sendable {
    /// A leak sanitizer does not work beside strace.
    public static let environment = ["ASAN_OPTIONS": "detect_leaks=0"]

    /// What strace is asked to write down, for a command that comes after it.
    public static func tracer(to file: String) -> [String] {
        ["strace", "-f", "-y", "-o", file, "-e", "trace=%desc,%file"]
    }

    /// Its name, without what tells `renameat2` from `rename`.
    public let name: String
    /// Absolute paths: of descriptors, and of names below them.
    public let paths: [String]
    /// Everything between the brackets.
    public let text: String
    /// The lines at which it began and ended: what others did in between may be before or after it.
    public let lines: ClosedRange<Int>

    private static let names: [String: String] = [
        "open": "open", "openat": "open", "creat": "open", "write": "write", "pwrite64": "write", "writev": "write",
        "pwritev": "write", "sendfile": "write", "copy_file_range": "write", "ftruncate": "write",
        "fallocate": "write", "utimensat": "write", "fchmod": "write", "mkdir": "mkdir", "mkdirat": "mkdir",
        "link": "link", "linkat": "link", "symlink": "symlink", "symlinkat": "symlink", "rename": "rename",
        "renameat": "rename", "renameat2": "rename", "unlink": "unlink", "unlinkat": "unlink", "rmdir": "unlink",
        "fsync": "fsync", "fdatasync": "fsync", "syncfs": "syncfs",
    ]

    /// The calls of a trace that succeeded, in the order in which they ended.
    public static func read(_ file: String) throws -> [SystemCall] {
        var begun: [Substring: (text: Substring, line: Int)] = [:]
        var calls: [SystemCall] = []
        let text = try String(contentsOfFile: file, encoding: .utf8)
        for (number, line) in text.split(separator: "\n").enumerated() {
            guard let space = line.firstIndex(of: " ") else { continue }
            let thread = line[..<space]
            var rest = line[space...].drop { $0 == " " }
            var first = number
            if rest.hasSuffix(" <unfinished ...>") {
                begun[thread] = (rest.dropLast(" <unfinished ...>".count), number)
                continue
            }
            if rest.hasPrefix("<... "), let end = rest.range(of: " resumed>"),
                let start = begun.removeValue(forKey: thread)
            {
                rest = start.text + rest[end.upperBound...]
                first = start.line
            }
            if let call = SystemCall(rest, lines: first...number) { calls.append(call) }
        }
        return calls
    }

    private init?(_ line: Substring, lines: ClosedRange<Int>) {
        guard let open = line.firstIndex(of: "("), let name = Self.names[String(line[..<open])],
            let close = line.range(
                of: ")", options: .backwards,
                range: open..<(line.range(of: " = ", options: .backwards)?.lowerBound ?? open)),
            let result = line.range(of: " = ", options: .backwards), !line[result.upperBound...].hasPrefix("-1")
        else { return nil }
        self.name = name
        text = String(line[line.index(after: open)..<close.lowerBound])
        self.lines = lines
        paths = Self.paths(in: text, name)
    }

    /// A descriptor is `3</path>`, a name `"path"`; a name belongs to the descriptor before it.
    private static func paths(in text: String, _ call: String) -> [String] {
        var paths: [String] = []
        var folder: String?
        var isTarget = call == "symlink"
        for part in text.components(separatedBy: ", ") {
            if part.hasPrefix("\""), part.hasSuffix("\""), call != "write" {
                let name = String(part.dropFirst().dropLast())
                // The target of a symbolic link is only text.
                let path = isTarget || name.hasPrefix("/") ? name : (folder.map { $0 + "/" } ?? "") + name
                paths.append(path)
                (folder, isTarget) = (nil, false)
            } else if let start = part.firstIndex(of: "<"), let end = part.lastIndex(of: ">"), start < end {
                if let folder { paths.append(folder) }
                folder = String(part[part.index(after: start)..<end])
                if call == "write" || call == "fsync" || call == "syncfs" { break }
            }
        }
        if let folder { paths.append(folder) }
        return paths
    }
}
