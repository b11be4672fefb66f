/// One pass that has ended.
public struct Attempt: Codable, Sendable, Equatable {
    /// How it ended.
    public enum Result: String, Codable, Sendable, CaseIterable { case published, unchanged, failed }

    /// The first pass of a process is 1.
    public var number: Int
    /// Why it began before its time; `nil` for when its time had come.
    public var trigger: Trigger?
    /// RFC 3339, UTC.
    public var began: String
    /// How long it took.
    public var seconds: Double
    /// How long each stage took, in seconds.
    public var stages: [String: Double]
    /// How it ended.
    public var result: Result
    /// The commit that is served since; `nil` when it failed.
    public var commit: String?
    /// Where it failed.
    public var stage: Stage?
    /// Why it failed, escaped for people.
    public var cause: String?
    /// What a person can do.
    public var remedy: String?
}
