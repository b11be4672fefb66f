/// A text that must not be seen: it prints itself as `redacted`, so that no log, error or dump can show it by accident.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    /// Takes the text.
    public init(_ text: String) { self.text = text }

    /// The text itself, for the one place that sends it.
    public func reveal() -> String { text }

    /// Never the text.
    public var description: String { "redacted" }
    /// Never the text.
    public var debugDescription: String { "redacted" }
    /// Never the text.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
