import FoundationEssentials
public import Glibc

/// A small file of ours that holds one value as JSON, for another process or for the next one.
public struct StateFile<Value: Codable & Sendable>: Sendable {
    /// Where it is.
    public let path: String
    private let mode: mode_t
    private let isDurable: Bool

    /// - Parameters:
    ///   - mode: who may read it.
    ///   - isDurable: whether a power cut may not take it.
    public init(_ path: String, mode: mode_t = 0o600, isDurable: Bool = false) {
        self.path = path
        self.mode = mode
        self.isDurable = isDurable
    }

    /// - Returns: `nil` when it is not there.
    /// - Throws: what `Error.fileFailure` has words for, or `DecodingError` for a file that is something else.
    public func read() throws -> Value? {
        DiskThread.check()
        guard access(path, F_OK) == 0 else { return nil }
        return try JSONDecoder().decode(Value.self, from: Data(contentsOf: URL(filePath: path)))
    }

    /// Replaces it in one step.
    ///
    /// - Throws: `WholeFile.Failure`.
    public func write(_ value: Value) throws {
        try WholeFile.replace(path, with: try Self.encode(value), mode: mode, isDurable: isDurable)
    }

    /// - Returns: whether there was one.
    @discardableResult
    public func remove() -> Bool { unlink(path) == 0 }

    /// For people too: a line a field, in the order of their names.
    public static func encode(_ value: Value) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
    }
}
