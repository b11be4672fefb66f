import FoundationEssentials
import Git
public import Logging
import Platform

/// Writes log lines to standard error, a line an event, as text for people or as JSON for machines. Whatever came from
/// outside is escaped, so that nobody can forge a line.
public struct LineLogHandler: LogHandler {
    /// Metadata of every line.
    public var metadata: Logger.Metadata = [:]
    /// The least important level that is written.
    public var logLevel: Logger.Level
    private let format: LogFormat
    private let write: @Sendable (String) -> Void

    /// Writes to standard error.
    public init(format: LogFormat, level: Logger.Level) {
        self.init(format: format, level: level, write: StandardError.write)
    }

    /// - Parameter write: takes a whole line with its newline.
    init(format: LogFormat, level: Logger.Level, write: @escaping @Sendable (String) -> Void) {
        self.format = format
        self.write = write
        logLevel = level
    }

    /// One value of the metadata of every line.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line.
    public func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }
            .map { ($0.key, "\($0.value)") }.sorted { Self.rank($0.0) < Self.rank($1.0) }
        let time = timestamp(wallSeconds())
        switch format {
        case .text:
            var line = "\(time) \(event.level.rawValue) \("\(event.message)".printable())"
            for (key, value) in fields { line += " \(key)=\(Self.quoted(value))" }
            write(line + "\n")
        case .json:
            var members = [("time", time), ("level", event.level.rawValue), ("message", "\(event.message)")]
            members += fields
            write("{" + members.map { "\(Self.json($0)):\(Self.json($1))" }.joined(separator: ",") + "}\n")
        }
    }

    /// The stage and the cause first, then by name.
    private static func rank(_ key: String) -> String {
        (["stage", "cause", "remedy", "commit"].firstIndex(of: key).map { "\($0)" } ?? "9") + key
    }

    private static func quoted(_ value: String) -> String {
        value.printable(limit: 2000).logfmtValue
    }

    private static func json(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let data = try? encoder.encode(text.printable(limit: 4000)) else { return "\"\"" }
        return String(decoding: data, as: UTF8.self)
    }
}
