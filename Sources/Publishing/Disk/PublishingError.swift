public import Git

/// Why a tree could not be made or shown, other than a failed system call (`DiskError`).
public enum PublishingError: Error, Sendable, CustomStringConvertible {
    /// DESTINATION is something that no layout can take over.
    case destinationUnusable(path: String, reason: String, remedy: String)
    /// Another sidekick holds DESTINATION.
    case destinationBusy(path: String, owner: String)
    /// Another sidekick, of another DESTINATION, keeps its store there.
    case stateBusy(path: String, owner: String)
    /// The commit has no such folder.
    case subdirectoryMissing(subdirectory: TreePath, commit: ObjectID)
    /// What the commit has there is no folder.
    case subdirectoryNoFolder(path: TreePath, commit: ObjectID, found: Obstacle)
    /// The tree holds a name that must not be made.
    case entryRefused(path: TreePath, reason: String)
    /// A symbolic link leads out of the tree and the policy is to refuse.
    case linkRefused(path: TreePath, target: String)
    /// The commit is larger than a limit.
    case limitExceeded(setting: String, limit: String, found: String)
    /// All paths of the commit together have more than so many bytes.
    case pathsTooLong(bytes: Int)
    /// The file system has less room than the commit needs.
    case spaceMissing(path: String, needed: String, free: String, missing: String)
    /// There is nothing of ours at DESTINATION.
    case nothingPublished(String)
    /// A file of the state folder is of a format that a later version brought.
    case newerState(path: String, what: String)

    /// What stands where a folder should.
    public enum Obstacle: Sendable {
        case link(target: String)
        case submodule, file
    }

    /// What happened, in one sentence.
    public var description: String {
        switch self {
        case .destinationUnusable(let path, let reason, _): "DESTINATION \(path) cannot be used: \(reason)"
        case .destinationBusy(let path, let owner):
            "another sidekick publishes into DESTINATION \(path)\(Self.process(owner))"
        case .stateBusy(let path, let owner):
            "another sidekick keeps its store in SIDEKICK_STATE \(path)\(Self.process(owner))"
        case .subdirectoryMissing(let subdirectory, let commit):
            "commit \(commit.abbreviated) has no folder \(subdirectory)"
        case .subdirectoryNoFolder(let path, let commit, .link(let target)):
            "\(path) in commit \(commit.abbreviated) is a symbolic link, to \(EntryName(target))"
        case .subdirectoryNoFolder(let path, let commit, .submodule):
            "\(path) in commit \(commit.abbreviated) is a submodule: its files are in another repository"
        case .subdirectoryNoFolder(let path, let commit, .file):
            "\(path) in commit \(commit.abbreviated) is a file and no folder"
        case .entryRefused(let path, let reason): "the commit holds \(reason): \(path)"
        case .linkRefused(let path, let target):
            "the symbolic link \(path) leads out of the tree, to \(EntryName(target))"
        case .nothingPublished(let path): "nothing was published at \(path)"
        case .newerState(let path, let what): "a newer version of sidekick wrote \(path) (\(what))"
        case .spaceMissing(let path, let needed, let free, let missing):
            "the commit needs \(needed) more on the file system of \(path), which has \(free) free: \(missing) are missing"
        case .pathsTooLong(let bytes): "the paths of the commit have more than \(bytes) bytes in all"
        case .limitExceeded(let setting, let limit, let found): "the commit has \(found), \(setting) allows \(limit)"
        }
    }

    private static func process(_ id: String) -> String { id.isEmpty ? "" : " (process \(id))" }

    /// What a person can do about it.
    public var remedy: String {
        switch self {
        case .destinationUnusable(_, _, let remedy): remedy
        case .stateBusy: "give each sidekick a SIDEKICK_STATE of its own: a folder for each below this one"
        case .destinationBusy: "stop the other one, or give this one a DESTINATION of its own"
        case .subdirectoryMissing: "change SIDEKICK_SUBDIRECTORY, or push a commit that has the folder"
        case .subdirectoryNoFolder(_, _, .link): "set SIDEKICK_SUBDIRECTORY to the folder that it leads to"
        case .subdirectoryNoFolder(_, _, .submodule): "publish that repository itself: set REPOSITORY to its address"
        case .subdirectoryNoFolder(_, _, .file): "change SIDEKICK_SUBDIRECTORY to a folder"
        case .entryRefused: "remove the entry from the repository: git itself refuses to check it out"
        case .linkRefused: "remove the link, or set SIDEKICK_SYMLINKS=skip to leave such links out"
        case .newerState: "start that version or a later one; this one leaves everything as it is"
        case .nothingPublished: "name the DESTINATION that a sidekick publishes into, as it is given to it"
        case .spaceMissing: "free space on that file system, or enlarge it: nothing was written, and the old tree stays"
        case .pathsTooLong: "publish less of the repository: SIDEKICK_SUBDIRECTORY, SIDEKICK_INCLUDE, SIDEKICK_EXCLUDE"
        case .limitExceeded(let setting, _, _): "raise \(setting) if the repository is meant to be that large"
        }
    }
}

extension Repository {
    /// The folder of a commit that SIDEKICK_SUBDIRECTORY names.
    ///
    /// - Throws: `PublishingError` where there is none, `GitError` when what stands there cannot be read.
    public borrowing func folder(_ subdirectory: TreePath, of commit: Commit) throws -> ObjectID {
        if let tree = try subtree(of: commit.tree, at: subdirectory) { return tree }
        guard let (path, entry) = try obstacle(in: commit.tree, to: subdirectory) else {
            throw PublishingError.subdirectoryMissing(subdirectory: subdirectory, commit: commit.id)
        }
        let found: PublishingError.Obstacle
        switch entry.kind {
        case .link: found = .link(target: try shownTarget(entry.id))
        case .submodule: found = .submodule
        default: found = .file
        }
        throw PublishingError.subdirectoryNoFolder(path: path, commit: commit.id, found: found)
    }
}

extension Repository {
    /// The target of a link, as far as a person wants to see it.
    fileprivate borrowing func shownTarget(_ link: ObjectID) throws(GitError) -> String {
        guard try size(of: link) < 4_096 else { return "a text that is too long for one" }
        do {
            return try withBlob(link) { String(decoding: $0, as: UTF8.self) }
        } catch {
            guard let error = error as? GitError else { return "" }
            throw error
        }
    }
}
