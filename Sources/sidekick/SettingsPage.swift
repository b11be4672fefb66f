import ArgumentParser
import Pipeline

/// Prints `docs/settings.md`: `make docs`.
struct SettingsPageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings-page", abstract: "Prints the page on settings, in Markdown.", shouldDisplay: false)

    func run() { print(SettingsPage.text, terminator: "") }
}

/// The page on settings, made of their declarations.
enum SettingsPage {
    static var text: String {
        """
        # Settings

        Each is an environment variable and a flag, which wins; REPOSITORY and DESTINATION may be plain arguments too. A secret is never a flag: it is a variable or, better,
        a file that is named by the variable whose name ends in `_FILE`, and read again whenever it is needed. A misspelled `SIDEKICK_` variable is an error; what Kubernetes
        injects for a Service is ignored. `sidekick check` tries all of them. This page is made by `make docs` of what the program declares.

        \(SettingGroup.all.map(section).joined(separator: "\n"))
        ## One pass

        With `--once` there is one pass, and its result is the exit status: `sidekick --help-all` lists them.

        """
    }

    private static func section(_ group: SettingGroup) -> String {
        """
        ## \(group.title)

        | variable | flag | default | meaning | example |
        |---|---|---|---|---|
        \(group.settings.map(row).joined(separator: "\n"))

        """
    }

    private static func row(_ setting: Setting) -> String {
        let name = setting.fileName.map { "`\(setting.name)`, `\($0)`" } ?? "`\(setting.name)`"
        let flag = setting.flag.map { "`--\($0)`" } ?? ""
        let standard = setting.defaultValue.map { "`\($0)`" } ?? setting.defaultText
        return "| \(name) | \(flag) | \(standard) | \(setting.help) | `\(setting.example)` |"
    }
}
