public import Git
import Platform

/// Why an object of Git LFS cannot be had, where it is not for what `UpstreamError` says.
public enum LFSError: Error, Sendable, CustomStringConvertible {
    /// The server says that it has none, or it is not in a repository on this machine.
    case missing(LFSObject, address: String, says: String?)
    /// The server has something else to say of it.
    case refused(LFSObject, address: String, code: Int, says: String?)
    /// What came are not the bytes that its name stands for.
    case wrongBytes(LFSObject, address: String)
    /// It ended before its end.
    case short(LFSObject, address: String, count: Int64)
    /// Something answers, and it is no server of Git LFS.
    case notLFS(address: String, found: String)
    /// A way to transfer, or a hash, that is not known here.
    case unsupported(address: String, what: String)
    /// A quota is used up.
    case quota(address: String, status: Int, says: String?)
    /// `.lfsconfig` names a server that is not the repository's own.
    case otherServer(url: String)
    /// A server leads to an address that nothing is asked of.
    case placeRefused(address: String, place: String, reason: String)

    /// What it is about, where it is one object.
    public var object: LFSObject? {
        switch self {
        case .missing(let object, _, _), .refused(let object, _, _, _), .wrongBytes(let object, _),
            .short(let object, _, _):
            object
        case .notLFS, .unsupported, .quota, .otherServer, .placeRefused: nil
        }
    }

    /// What happened, in one sentence.
    public var description: String {
        switch self {
        case .missing(let object, let address, let words): "\(address) has no object \(object.id)" + Self.saying(words)
        case .refused(let object, let address, let code, let words):
            "\(address) does not give the object \(object.id) (code \(code))" + Self.saying(words)
        case .wrongBytes(let object, let address): "\(address) sent other bytes than those of the object \(object.id)"
        case .short(let object, let address, let count):
            "\(address) sent \(count) of the \(object.size) bytes of the object \(object.id)"
        case .notLFS(let address, let found):
            "\(address) is no server of Git LFS: it answers with \(found.printable(limit: 80))"
        case .unsupported(let address, let what):
            "\(address) asks for \(what.printable(limit: 80)), which is not known here"
        case .quota(let address, let status, let words):
            "\(address) has no more to give (status \(status))" + Self.saying(words)
        case .otherServer(let url):
            ".lfsconfig names \(url.printable(limit: 200)), which is not at the repository's host"
        case .placeRefused(let address, let place, let reason):
            "\(address) leads to \(place.printable(limit: 200)), \(reason)"
        }
    }

    private static func saying(_ words: String?) -> String { words.map { ": \($0)" } ?? "" }

    /// What a person can do about it.
    public var remedy: String {
        switch self {
        case .missing: "push it with git lfs push --all, or set SIDEKICK_LFS=off to publish pointers"
        case .refused, .short, .placeRefused: "check the server of Git LFS and its own log"
        case .wrongBytes: "push the object once more, and check the server and what is between it and here"
        case .notLFS: "set SIDEKICK_LFS_URL to the server of Git LFS, or SIDEKICK_LFS=off to publish pointers"
        case .unsupported: "set SIDEKICK_LFS_URL to a server with basic transfers and sha256"
        case .quota: "raise the quota at the hoster"
        case .otherServer: "set SIDEKICK_LFS_URL to that address, if it is to be trusted, or push a commit without it"
        }
    }

    /// It may well work the next time although nobody did anything.
    public var isTransient: Bool {
        switch self {
        case .short, .quota, .refused, .wrongBytes: true
        case .missing, .notLFS, .unsupported, .otherServer, .placeRefused: false
        }
    }
}
