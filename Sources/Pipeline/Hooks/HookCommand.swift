import FoundationEssentials

/// A command as a user gives it: what begins with `[` is a JSON array of a program and its arguments, or a mistake; anything
/// else is a line for `sh -c`, and where there is no shell, plain words that are a program and its arguments.
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
