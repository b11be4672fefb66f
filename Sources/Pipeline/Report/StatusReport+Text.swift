import Git
import Platform

extension StatusReport {
    /// Whether somebody has to look.
    public enum Verdict: Sendable {
        case well
        /// What is published is served, and is not what it should be.
        case held, failing
        /// Nobody keeps it up to date.
        case stopped
        /// Nothing is published.
        case nothing
    }

    /// How things stand.
    public var verdict: Verdict {
        if status.published == nil { return .nothing }
        if complaint != nil { return .stopped }
        if status.failure != nil { return .failing }
        return status.hold == nil ? .well : .held
    }

    /// The first line for people: whether all is well.
    ///
    /// - Parameter now: seconds since 1970.
    public func headline(now: Double) -> String {
        let commit = status.published.map { String($0.commit.prefix(12)) } ?? ""
        let ago = Self.time(now - lastPass)
        switch verdict {
        case .well: return "all is well: \(commit) is served, as \(status.ref) was \(ago) ago"
        case .held: return "held: \(commit) is served, whatever \(status.ref) is, until `sidekick resume`"
        case .failing:
            let since = status.failure?.lastSuccess.flatMap { seconds(of: $0) }.map { ", for \(Self.time(now - $0))" }
            return "passes fail\(since ?? ""): \(commit) is served, which may be old"
        case .stopped: return "\(complaint ?? "nobody publishes"): \(commit) is served, and will not change"
        case .nothing:
            let reason = complaint ?? (status.failure == nil ? "the first pass goes on" : "passes fail")
            return "nothing is published yet: \(reason)"
        }
    }

    /// The rest for people, a line each.
    ///
    /// - Parameter now: seconds since 1970.
    public func rows(now: Double) -> [String] {
        var rows: [(String, String)] = []
        if let failure = status.failure {
            rows.append(
                (
                    "failing",
                    "\(failure.stage.rawValue): \(failure.cause) (\(failure.count) times, last \(failure.last))"
                ))
            rows.append(("remedy", failure.remedy))
        }
        rows.append(("repository", "\(status.repository) (\(status.ref))"))
        rows.append(("destination", "\(status.destination) (\(status.layout))"))
        rows += published
        if let hold = status.hold {
            rows.append(("held", "since \(hold.since), until `sidekick resume` or another ref than \(hold.ref)"))
        }
        if let lost = status.lost { rows.append(("lost+found", "\(lost.files) files, \(lost.bytes) bytes")) }
        if let pass = status.running {
            rows.append(("going on", "pass \(pass.number) since \(pass.began), at \(pass.stage.rawValue)"))
        } else {
            rows.append(("last pass", "\(timestamp(lastPass)), \(Self.time(now - lastPass)) ago"))
            if isRunning, let delay = status.delay {
                let rest = lastPass + delay - now
                rows.append(("next pass", rest > 0 ? "in \(Self.time(rest))" : "now"))
            }
        }
        rows.append(("running", isRunning ? "yes, process \(status.process)" : "no"))
        return rows.map { name, value in name + String(repeating: " ", count: 13 - name.count) + value }
    }

    private var published: [(String, String)] {
        guard let tree = status.published else { return [("published", "nothing yet")] }
        let folder = tree.subdirectory.isEmpty ? "" : " \(tree.subdirectory)"
        var rows = [("published", "\(tree.commit)\(folder) since \(tree.since)")]
        if let signer = tree.signer { rows.append(("signed by", "\(signer)")) }
        rows.append(("size", "\(tree.files) files, \(tree.bytes) bytes"))
        if let lfs = tree.lfs { rows.append(("Git LFS", "\(lfs.objects) files, \(lfs.bytes) bytes")) }
        if let compressed = tree.compressed {
            rows.append(("compressed", "\(compressed.files) files more, \(compressed.bytes) bytes"))
        }
        for module in tree.submodules ?? [] {
            rows.append(("submodule", "\(module.path) \(module.commit) of \(module.repository)"))
        }
        for left in tree.leftOut ?? [] { rows.append(("left out", "\(left.path): \(left.reason)")) }
        return rows
    }

    /// The largest unit that is not zero.
    private static func time(_ seconds: Double) -> String {
        let seconds = Int(max(0, seconds).rounded())
        return seconds < 120
            ? "\(seconds) s"
            : seconds < 7_200
                ? "\(seconds / 60) min" : seconds < 172_800 ? "\(seconds / 3_600) h" : "\(seconds / 86_400) days"
    }
}
