import Content
import FoundationEssentials
import Git
import Glibc
import Logging
import Publishing
import Synchronization
import Platform
import Trust
import Upstream

/// Keeps `status.json` true.
final class StatusFile: Sendable {
    private let settings: Settings
    private let publisher: Publisher
    private let journal: Journal
    private let version: String
    private let written = Mutex<Status?>(nil)
    private let complaint = LogOnce()
    private let known = Mutex<Known?>(nil)

    /// What is known of a commit from the pass that published it.
    private struct Known {
        let commit: String
        let signer: Signer?
        let change: Status.Change?
    }

    init(settings: Settings, publisher: Publisher, journal: Journal, version: String) {
        self.settings = settings
        self.publisher = publisher
        self.journal = journal
        self.version = version
    }

    /// - Parameters:
    ///   - error: why the pass failed, if it did.
    ///   - failures: how many in a row did.
    ///   - pause: the time to the next; `nil` when there is none.
    /// - Returns: how things stand.
    func note(_ error: SyncError?, failures: Int, nextIn pause: Duration?, logger: Logger) -> Status {
        let failure = error.map { error in
            Status.Failure(
                stage: error.stage, cause: error.cause, remedy: error.remedy, recovery: error.recovery, count: failures,
                last: timestamp(wallSeconds()), lastSuccess: journal.lastSuccess)
        }
        let status = status(failure, nextIn: pause)
        journal.note(status, nextIn: pause)
        write(status, logger)
        return status
    }

    /// Writes down that a pass goes on: nobody shall wait for its end unseen.
    func noteRunning(_ running: Journal.Running) {
        var status = written.withLock { $0 } ?? status(nil, nextIn: nil)
        status.running = running
        write(status, Logger(label: "status") { _ in SwiftLogNoOpLogHandler() })
    }

    /// What a pass has published.
    func note(_ commit: ObjectID, signer: Signer?, change: Status.Change?) {
        known.withLock { known in
            // What is made anew says nothing new of itself.
            let earlier = known?.commit == commit.description ? known : nil
            known = Known(
                commit: commit.description, signer: signer ?? earlier?.signer, change: earlier?.change ?? change)
        }
    }

    /// Tells how things stand before the first pass, and writes nothing.
    ///
    /// - Parameter earlier: what an earlier process wrote.
    func tell(_ earlier: Status?) {
        if let tree = earlier?.published {
            known.withLock { $0 = Known(commit: tree.commit, signer: tree.signer, change: tree.change) }
        }
        journal.note(status(earlier?.failure, nextIn: nil), nextIn: nil)
    }

    /// With what is known of its commit.
    func completing(_ tree: Status.Tree) -> Status.Tree {
        var tree = tree
        tree.page = settings.upstream.url.page(of: tree.commit)
        guard let known = known.withLock({ $0 }), known.commit == tree.commit else { return tree }
        (tree.signer, tree.change) = (known.signer, known.change)
        return tree
    }

    private func status(_ failure: Status.Failure?, nextIn pause: Duration?) -> Status {
        // What cannot be read at the moment is served all the same: a descriptor may be lacking, or memory.
        let last = journal.live?.status
        let published = Self.current(else: last?.published) {
            try publisher.published().map { completing(Status.Tree($0, publisher.parts)) }
        }
        let hold = Self.current(else: last?.hold) { try HoldFile(publisher.destination).read() }
        return Status(
            version: version, process: getpid(), repository: settings.upstream.url.description,
            ref: settings.upstream.ref.description, destination: publisher.destination.path,
            layout: publisher.layoutKind.rawValue,
            published: published,
            hold: hold, repaired: publisher.repaired,
            lost: publisher.lost.map { Status.Files(files: $0.files, bytes: $0.bytes) }, failure: failure,
            freshFor: published == nil
                ? nil : pause.map { max(freshFor, $0 + settings.deadline + Self.patience).inSeconds },
            // Without what is random of it: a pass that finds nothing writes nothing.
            delay: pause.map { failure == nil ? settings.delay.inSeconds : $0.inSeconds.rounded(.up) })
    }

    private static func current<Value>(else last: Value?, _ read: () throws -> Value?) -> Value? {
        do { return try read() } catch { return last }
    }

    private func write(_ status: Status, _ logger: Logger) {
        let file = Status.file(of: publisher.destination)
        let path = file.path
        do {
            if written.withLock({ $0 }) == status {
                guard utimensat(AT_FDCWD, path, nil, 0) != 0 else { return }
            }
            try file.write(status)
            written.withLock { $0 = status }
            complaint.end()
        } catch {
            // On a full disk the time at least still says that the loop runs.
            utimensat(AT_FDCWD, path, nil, 0)
            complaint.tell("\(error.fileFailure)") { cause in
                logger.warning("status cannot be written", metadata: ["path": "\(path)", "cause": "\(cause)"])
            }
        }
    }

    /// The longest pause, the longest pass, and a little more for a machine that is busy.
    private var freshFor: Duration {
        max(settings.delay * (1 + Schedule.jitter), settings.backoff) + settings.deadline + Self.patience
    }

    /// For a machine that is busy.
    private static let patience = Duration.seconds(30)
}

extension Status.Tree {
    /// Seconds since 1970.
    var sinceSeconds: Double { seconds(of: since) ?? 0 }

    init(_ published: Published, _ parts: Composite.Parts? = nil) {
        self.init(
            commit: published.commit.description,
            subdirectory: String(decoding: published.revision.recipe.subdirectory.bytes, as: UTF8.self),
            since: timestamp(Double(published.since)), files: published.files, bytes: published.bytes,
            submodules: parts.flatMap { $0.modules.isEmpty ? nil : $0.modules },
            leftOut: parts.flatMap { $0.leftOut.isEmpty ? nil : $0.leftOut },
            lfs: published.lfsObjects == 0
                ? nil : Status.Objects(objects: published.lfsObjects, bytes: published.lfsBytes),
            compressed: published.compressedFiles == 0
                ? nil : Status.Files(files: published.compressedFiles, bytes: published.compressedBytes))
    }
}

extension Status {
    /// Corrects what a process that does not run can no longer: what is visible, and what is held.
    static func rewrite(_ destination: Destination, _ publisher: Publisher) throws {
        guard var status = try StatusReport.read(destination)?.status else { return }
        let before = status.published
        status.published = try publisher.published().map { Tree($0, publisher.parts) }
        if status.published?.commit == before?.commit {
            status.published?.signer = before?.signer
            status.published?.change = before?.change
            status.published?.page = before?.page
        }
        status.hold = try HoldFile(destination).read()
        try file(of: destination).write(status)
    }

    /// Whoever may see the site may see how it stands.
    static func file(of destination: Destination) -> StateFile<Status> {
        StateFile(destination.statusFile, mode: 0o644)
    }
}

/// RFC 3339 in UTC, to the second.
func timestamp(_ seconds: Double) -> String {
    Date(timeIntervalSince1970: seconds.rounded(.down)).formatted(.iso8601)
}

/// Seconds since 1970 of such a time.
func seconds(of timestamp: String) -> Double? {
    (try? Date(timestamp, strategy: .iso8601)).map(\.timeIntervalSince1970)
}
