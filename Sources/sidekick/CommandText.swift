/// What each command does, for the help and the manual page.
struct CommandText {
    let name: String
    let arguments: String
    /// The name with the option that most people want.
    let short: String
    let meaning: String

    static let all = [
        CommandText(
            name: "check", arguments: "[repository] [destination] [--plan] [--json]", short: "check [--plan]",
            meaning: "tries the settings, the connection and the login, and changes nothing"),
        CommandText(
            name: "status", arguments: "[destination] [--json] [--watch]", short: "status [--watch]",
            meaning: "what is published, what is held, and how the last passes went"),
        CommandText(
            name: "health", arguments: "[destination] [--max-age time]", short: "health",
            meaning: "exits 0 when the loop runs, for a container's health check"),
        CommandText(
            name: "sync", arguments: "[destination]", short: "sync",
            meaning: "asks for a pass now, and waits for its result"),
        CommandText(
            name: "verify", arguments: "[destination] [--repair]", short: "verify [--repair]",
            meaning: "compares every byte with the commit, lists what differs, and mends it"),
        CommandText(
            name: "rollback", arguments: "[commit] --destination path", short: "rollback [COMMIT]",
            meaning: "publishes the commit before, or one that is named, and holds it"),
        CommandText(
            name: "resume", arguments: "--destination path", short: "resume",
            meaning: "ends the hold and follows the remote again"),
    ]
}
