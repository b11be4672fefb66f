import Pipeline

/// What `sidekick --help` prints: what most people need, by what they want to do. `--help-all` has every setting with its text.
enum Help {
    static var text: String {
        """
        sidekick keeps the folder that a web server serves equal to a git repository.

          sidekick https://host/site.git ./site --delay 5s    follows it
          sidekick ../my-site.git ./site --once               one pass: its result is the exit status
          sidekick check ../my-site.git ./site --plan         what a pass would change

        COMMANDS (sidekick COMMAND --help), of the sidekick that publishes into a DESTINATION
        \(CommandText.all.map { row($0.short, $0.meaning) }.joined(separator: "\n"))

        SETTINGS: each is a flag and, in capitals, a variable; a secret is a variable alone, or names a file
        \(SettingGroup.all.map(section).joined(separator: "\n"))

        SIGHUP asks for a pass now; SIGTERM and SIGINT stop it. --help-all: every setting and exit status.
        """
    }

    /// Columns: what a terminal has at least.
    private static let (width, indent) = (100, 33)

    private static func row(_ name: String, _ text: String) -> String {
        let padded = name + String(repeating: " ", count: max(1, indent - 2 - name.count))
        let line = "  \(padded)\(text)"
        return line.count <= width ? line : line.prefix(width - 1) + "…"
    }

    private static func section(_ group: SettingGroup) -> String {
        let rows = group.settings.prefix(group.usual).map { row(name($0), $0.brief) }
        let rest = group.settings.dropFirst(group.usual).map(name)
        return ([group.title] + rows + (rest.isEmpty ? [] : wrapped(rest))).joined(separator: "\n")
    }

    private static func name(_ setting: Setting) -> String {
        setting.flag.map { "--" + $0 } ?? setting.fileName ?? setting.name
    }

    private static func wrapped(_ names: [String]) -> [String] {
        var lines = ["  also"]
        for name in names {
            if lines[lines.count - 1].count + name.count + 1 > width { lines.append("      ") }
            lines[lines.count - 1] += " " + name
        }
        return lines
    }
}

extension Setting {
    /// Its text as far as the first full stop, colon or semicolon, with what it may be.
    fileprivate var brief: String {
        let end = help.utf8.firstIndex { ".:;".utf8.contains($0) } ?? help.utf8.endIndex
        let text = String(help.utf8.prefix(upTo: end)) ?? help
        if case .choice(let values) = kind {
            return values.joined(separator: ", ") + " [" + (defaultValue ?? defaultText) + "]"
        }
        return text
    }
}
