import Pipeline

/// The parts of `--help-all` that are not a list of flags.
enum Manual {
    static let discussion = """
        Clones the repository into DESTINATION, then follows it: a pass every DELAY seconds asks the remote which commit \
        the ref names, fetches what changed and publishes it so that readers never see a missing or half-written file.

        Every flag has an environment variable, named in brackets below; the flag wins. Secrets are never flags: \
        \(secrets).

        EXAMPLES:
          sidekick https://host/site.git ./site --delay 5s
          sidekick ../my-site.git ./site --once
          REPOSITORY=https://host/site.git DESTINATION=/srv/www DELAY=60 sidekick

        SIGNALS:
          SIGHUP           a pass now
          SIGTERM, SIGINT  stop, with status 0; 75 when --once had not ended

        EXIT STATUS:
        \(statuses)
        """

    private static var secrets: String {
        let names = Setting.all.compactMap { setting in setting.fileName.map { "\(setting.name) or \($0)" } }
        return names.joined(separator: ", ")
    }

    private static var statuses: String {
        ExitStatus.allCases.map { status in
            let code = String(status.rawValue)
            return "  " + code + String(repeating: " ", count: 4 - code.count) + status.meaning
        }.joined(separator: "\n")
    }
}
