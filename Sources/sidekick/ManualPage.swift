import ArgumentParser
import Pipeline
import Platform

/// Prints sidekick(1), in the language of man(7), for whoever packages the program.
struct ManualPageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual-page", abstract: "Prints the manual page, for man(1).", shouldDisplay: false)

    func run() { print(ManualPage.text) }
}

/// The manual page. What it tells of settings and exit statuses is made of their declarations.
enum ManualPage {
    static var text: String {
        """
        .TH SIDEKICK 1 "" "sidekick \(Version.text)" "User Commands"
        .SH NAME
        sidekick \\- keeps the folder that a web server serves equal to a git repository
        .SH SYNOPSIS
        .B sidekick
        .RI [ repository ]
        .RI [ destination ]
        .RI [ options ]
        .br
        \(commands.map { ".B sidekick \($0.name)\n.RI \"\($0.arguments.escaped)\"" }.joined(separator: "\n.br\n"))
        .SH DESCRIPTION
        Clones the repository into DESTINATION, then follows it: a pass every DELAY seconds asks the remote which commit the
        ref names, fetches what changed and publishes it so that readers never see a missing or half\\-written file.
        A failure is told once, with its cause and its remedy, and what was published stays.
        .SH COMMANDS
        \(commands.map { paragraph("sidekick \($0.name) \($0.arguments)", "\($0.meaning).") }.joined(separator: "\n"))
        .SH SETTINGS
        Each is an environment variable, and a flag, which wins. Secrets are never flags: each is a variable or, better, a file
        that is named by the variable whose name ends in _FILE, and read again whenever it is needed.
        \(Setting.all.map(setting).joined(separator: "\n"))
        \(paragraph("--once", "One pass, then exit with its result."))
        .SH SIGNALS
        \(paragraph("SIGHUP", "A pass now."))
        \(paragraph("SIGTERM, SIGINT", "Stop, with status 0; 75 when --once had not ended."))
        .SH EXIT STATUS
        \(ExitStatus.allCases.map { paragraph("\($0.rawValue)", $0.meaning + ".") }.joined(separator: "\n"))
        .SH FILES
        \(paragraph("DESTINATION", "What the web server serves: a symbolic link or a folder (SIDEKICK_LAYOUT)."))
        \(paragraph(".sidekick/NAME beside DESTINATION, or .sidekick in it", "Trees, the git store, the status, the lock, and lost+found, where files go that stood in the way."))
        .SH SEE ALSO
        .BR git (1),
        .BR ssh (1),
        .BR nginx (8)
        """
    }

    private static let commands = CommandText.all

    private static func setting(_ setting: Setting) -> String {
        let names = [setting.name, setting.fileName, setting.flag.map { "--\($0) \(setting.placeholder)" }]
        let defaultText = setting.defaultValue ?? setting.defaultText
        let note = defaultText == "required" ? " Required." : defaultText.isEmpty ? "" : " Default: \(defaultText)."
        return paragraph(names.compactMap { $0 }.joined(separator: ", "), setting.help + note)
    }

    private static func paragraph(_ term: String, _ text: String) -> String {
        ".TP\n.B \(term.escaped)\n\(text.escaped)"
    }
}

extension String {
    /// As text of man(7), whatever it begins with.
    fileprivate var escaped: String {
        let text = replacing { $0 == UInt8(ascii: "\\") ? "\\e" : $0 == UInt8(ascii: "-") ? "\\-" : nil }
        return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
    }
}
