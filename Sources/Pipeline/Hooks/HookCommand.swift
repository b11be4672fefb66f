import FoundationEssentials

/// A command as a user gives it: a JSON array is a program and its arguments, anything else a line for `sh -c`, as Docker has
/// it for CMD. Where there is no shell, a line of plain words is a program and its arguments too.
public struct HookCommand: Sendable, Equatable {
    /// The program first.
    public let arguments: [String]

    static let accepted = #"a JSON array of a program and its arguments, such as ["/hooks/purge", "--all"]"#
    private static let shell = "/bin/sh"
    /// What `sh` would make something of.
    private static let special = Set("|&;<>()$`\\\"'*?[]#~=%!{}\n")

    /// Reads what a user gave; `nil` for what cannot be run.
    ///
    /// - Parameter hasShell: whether there is a `/bin/sh`.
    init?(_ text: String, hasShell: Bool) {
        let line = text.drop { $0.isWhitespace }
        if line.first == "[" {
            guard let list = try? JSONDecoder().decode([String].self, from: Data(line.utf8)),
                list.first?.isEmpty == false, !list.contains(where: { $0.utf8.contains(0) })
            else { return nil }
            arguments = list
        } else if hasShell {
            guard !line.isEmpty else { return nil }
            arguments = [Self.shell, "-c", text]
        } else {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard !words.isEmpty, !line.contains(where: { Self.special.contains($0) }) else { return nil }
            arguments = words
        }
    }
}
