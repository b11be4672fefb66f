// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Each declaration carries its own description, which a comment would only repeat.

/// The declaration of one metric, as Prometheus takes it: the name with its unit, what it counts, and by what.
public struct Metric: Sendable, Hashable {
    /// What the numbers mean.
    public enum Kind: String, Sendable { case counter, gauge, histogram, info }

    /// In base units, with `_total` for what is counted.
    public let name: String
    public let kind: Kind
    public let help: String
    public let labels: [String]
    /// Values of the labels that stand there from the beginning, so that a rate can be told from nothing.
    let known: [[String]]

    private init(_ name: String, _ kind: Kind, _ help: String, labels: [String] = [], known: [[String]] = []) {
        self.name = "sidekick_" + name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.known = labels.isEmpty && kind == .counter ? [[]] : known
    }

    private static let stages = Stage.allCases.map { [$0.rawValue] }

    public static let build = Metric(
        "build_info", .info, "The program that runs.", labels: ["version"])
    public static let passes = Metric(
        "passes_total", .counter, "Passes by their result.", labels: ["result"],
        known: Attempt.Result.allCases.map { [$0.rawValue] })
    public static let failures = Metric(
        "pass_failures_total", .counter, "Passes that failed, by the stage in which they did.", labels: ["stage"],
        known: stages)
    public static let stageSeconds = Metric(
        "stage_duration_seconds", .histogram, "How long each stage of a pass took.", labels: ["stage"])
    public static let running = Metric(
        "pass_running_seconds", .gauge, "How long the pass that goes on has taken so far; 0 between passes.")
    public static let lastAttempt = Metric(
        "last_attempt_timestamp_seconds", .gauge, "When the last pass began.")
    public static let lastSuccess = Metric(
        "last_success_timestamp_seconds", .gauge, "When a pass last ended without a failure.")
    public static let lastPublish = Metric(
        "last_publish_timestamp_seconds", .gauge, "When what is served became visible.")
    public static let consecutiveFailures = Metric(
        "consecutive_failures", .gauge, "Passes in a row that failed.")
    public static let published = Metric(
        "published_info", .info, "The commit that is served, and the reference that named it.",
        labels: ["ref", "commit"])
    public static let signer = Metric(
        "signer_info", .info, "Who has signed the commit that is served, where that was looked at.",
        labels: ["name", "key"])
    public static let requests = Metric("upstream_requests_total", .counter, "Questions that the remote was asked.")
    public static let received = Metric("upstream_received_bytes_total", .counter, "Bytes of the remote's answers.")
    public static let sent = Metric("upstream_sent_bytes_total", .counter, "Bytes of questions to the remote.")
    public static let lfsObjects = Metric(
        "lfs_fetched_objects_total", .counter, "Objects of Git LFS that were fetched.")
    public static let lfsBytes = Metric("lfs_fetched_bytes_total", .counter, "Their bytes.")
    public static let filesWritten = Metric("written_files_total", .counter, "Files that were made to be served.")
    public static let bytesWritten = Metric("written_bytes_total", .counter, "Their bytes.")
    public static let repaired = Metric(
        "drift_repaired_paths_total", .counter, "Paths that somebody else had changed and that were made anew.")
    public static let held = Metric(
        "held", .gauge, "1 while an operator holds a commit in place of what the remote says.")
    public static let trees = Metric("trees", .gauge, "Trees on the disk: the served one and those that trail it.")
    public static let storeBytes = Metric("store_bytes", .gauge, "The size of the git store.")
    public static let storePacks = Metric("store_packs", .gauge, "Packs in the git store.")
    public static let lostFiles = Metric(
        "lost_files", .gauge, "Files of others that were moved out of the way and are kept in lost+found.")
    public static let lostBytes = Metric("lost_bytes", .gauge, "Their bytes.")
    public static let webhooks = Metric(
        "webhook_deliveries_total", .counter, "Webhooks by who sent them and what was made of them.",
        labels: ["provider", "verdict"])
    public static let relays = Metric(
        "webhook_relays_total", .counter, "Webhooks that were passed on to other replicas.", labels: ["result"])
    public static let hookRuns = Metric(
        "hook_runs_total", .counter, "Runs of hooks by how they ended.", labels: ["hook", "result"],
        known: Hook.allCases.flatMap { hook in Hook.Result.allCases.map { [hook.rawValue, $0.rawValue] } })

    /// Every metric, in the order in which it is shown.
    public static let all: [Metric] = [
        build, passes, failures, stageSeconds, running, lastAttempt, lastSuccess, lastPublish, consecutiveFailures,
        published, signer,
        requests, received, sent, lfsObjects, lfsBytes, filesWritten, bytesWritten, repaired, held, trees, storeBytes,
        storePacks, lostFiles,
        lostBytes, webhooks,
        relays, hookRuns,
    ]
}
