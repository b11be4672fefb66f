import FoundationEssentials
import Git
import Glibc
import Publishing

/// What commands are told of a publish: their environment, and a list of paths in a file.
struct HookContext: Sendable {
    let commit: ObjectID
    /// What the command was told of before; `nil` when all is new to it.
    let previous: String?
    /// The full name of the reference.
    let ref: ReferenceName
    /// Where its files are.
    let path: String
    let changedPaths: [TreePath]

    /// The variables, without PATH.
    func variables(listedIn file: String) -> [String: [UInt8]] {
        var variables = [
            "PUBLISHED_COMMIT": "\(commit)", "PREVIOUS_COMMIT": previous ?? "", "PUBLISHED_PATH": path,
            "CHANGED_PATHS_FILE": file,
        ].mapValues { Array($0.utf8) }
        variables["PUBLISHED_REF"] = ref.bytes
        return variables
    }

    /// A path a line, odd ones in quotes, as `git -c core.quotePath=off diff --name-only` writes them.
    var list: [UInt8] {
        var bytes: [UInt8] = []
        for path in changedPaths {
            bytes += Self.quoted(path.bytes)
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }

    private static let escapes: [UInt8: Character] = [
        7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\",
    ]

    private static func quoted(_ path: [UInt8]) -> [UInt8] {
        guard path.contains(where: { $0 < 0x20 || $0 == 0x7f || escapes[$0] != nil }) else { return path }
        var text = Array("\"".utf8)
        for byte in path {
            if let letter = escapes[byte] {
                text += Array("\\\(letter)".utf8)
            } else if byte < 0x20 || byte == 0x7f {
                let digits = String(byte, radix: 8)
                text += Array(("\\" + String(repeating: "0", count: 3 - digits.count) + digits).utf8)
            } else {
                text.append(byte)
            }
        }
        return text + Array("\"".utf8)
    }
}
