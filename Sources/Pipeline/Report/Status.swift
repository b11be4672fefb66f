public import Git
import Platform
public import Trust

/// What `status.json` holds. Written when something changed; a pass that found nothing only touches the file, so its
/// modification time is the end of the last pass that worked.
public struct Status: Codable, Sendable, Equatable {
    /// What is visible.
    public struct Tree: Codable, Sendable, Equatable {
        /// All forty digits.
        public var commit: String
        /// The folder of the commit that is shown; empty for all of it.
        public var subdirectory: String
        /// RFC 3339, UTC.
        public var since: String
        /// How many files are shown.
        public var files: Int
        /// Their bytes.
        public var bytes: Int64
        /// The submodules that are part of it; `nil` for none.
        public var submodules: [Composite.Module]?
        /// Submodules that are not, and why; `nil` for none.
        public var leftOut: [Composite.LeftOut]?
        /// Files of Git LFS that are part of it; `nil` for none.
        public var lfs: Objects?
        /// Compressed files that stand beside them; `nil` for none.
        public var compressed: Files?
        /// Who has signed it; `nil` where that was not looked at.
        public var signer: Signer?
        /// What the commit says of itself, and what came with it; `nil` where that is not known.
        public var change: Change?
        /// Its page at a forge; `nil` where the repository's host is not known as one.
        public var page: String?
    }

    /// A part of a tree, and what is to be said of it.
    public typealias Part = (path: String, what: String)

    /// How what is visible came.
    public struct Change: Codable, Sendable, Equatable {
        /// The commit's first lines, escaped for people.
        public var subject: String
        /// The author's name, without an address.
        public var author: String
        /// When it was committed, RFC 3339, UTC.
        public var committed: String
        /// The first paths that show something else than before, escaped for people; `nil` where all may.
        public var paths: [String]?
        /// How many they are; `nil` where all may.
        public var count: Int?
    }

    /// Files of Git LFS.
    public struct Objects: Codable, Sendable, Equatable {
        /// How many.
        public var objects: Int
        /// Their bytes.
        public var bytes: Int64
    }

    /// Some files.
    public struct Files: Codable, Sendable, Equatable {
        /// How many.
        public var files: Int
        /// Their bytes.
        public var bytes: Int64
    }

    /// A failure that goes on.
    public struct Failure: Codable, Sendable, Equatable {
        /// Where passes fail.
        public var stage: Stage
        /// Why, escaped for people.
        public var cause: String
        /// What a person can do.
        public var remedy: String
        /// What has to happen before a pass can succeed.
        public var recovery: SyncError.Recovery
        /// Failures in a row.
        public var count: Int
        /// RFC 3339, UTC.
        public var last: String
        /// When a pass last ended without a failure, RFC 3339, UTC; `nil` for never.
        public var lastSuccess: String?
    }

    /// In one line, for whoever looks at many services.
    var line: String {
        if let failure {
            return "failing at \(failure.stage.rawValue), \(failure.count) in a row: \(failure.cause)".printable()
        }
        guard let published else { return "nothing is published yet" }
        return "serving \(published.commit.prefix(12)) since \(published.since)\(hold == nil ? "" : ", held")"
    }

    /// The version of this layout.
    public var schema = 1
    /// The version of the program.
    public var version: String
    /// The process that wrote this.
    public var process: Int32
    /// Without user and password.
    public var repository: String
    /// What is followed, as it was given.
    public var ref: String
    /// Absolute.
    public var destination: String
    /// How DESTINATION shows a tree.
    public var layout: String
    /// What is visible; `nil` for nothing.
    public var published: Tree?
    /// What an operator holds in place of what the remote says; `nil` for nothing.
    public var hold: Hold?
    /// Paths that somebody else had changed and that were made anew, since the process began.
    public var repaired: Int?
    /// Files of others that were moved out of the way and are kept; `nil` for none.
    public var lost: Files?
    /// Why passes fail; `nil` when the last one worked.
    public var failure: Failure?
    /// A pass that has gone on for a minute or more; `nil` when the last one has ended.
    public var running: Journal.Running?
    /// The file's modification time may be so many seconds old before something is wrong with the loop; `nil` before
    /// the first publish and after a single pass, when there is no such time.
    public var freshFor: Double?
    /// The next pass begins about so many seconds after the file's modification time; `nil` when there is none.
    public var delay: Double?
}

extension Status.Tree {
    /// The submodules that are part of it, with their commits: for a page, which need not know what they are.
    public var modules: [Status.Part] { (submodules ?? []).map { ($0.path, $0.commit) } }
    /// Those that are not, with the reason.
    public var omissions: [Status.Part] { (leftOut ?? []).map { ($0.path, $0.reason) } }
}
