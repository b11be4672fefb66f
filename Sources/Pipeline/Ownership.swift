import Glibc

/// Whose something is that this process may not write to, and what mends that.
struct Ownership {
    /// What was asked for, or the last folder on the way there that can be seen at all.
    private let path: String
    private let owner: UInt32
    /// Whether all of it is ours, so that all of it may change hands.
    private let isState: Bool

    /// - Parameter place: absolute; what does not exist stands for the folder that it would be in.
    init?(of place: String) {
        var path = place
        var status = stat()
        while lstat(path, &status) != 0 {
            guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return nil }
            path = String(path[..<slash])
        }
        owner = status.st_uid
        // What is ours as a whole has one owner as a whole.
        if let state = path.firstRange(of: "/.sidekick/") {
            let folder = String(path[..<state.upperBound].dropLast())
            if lstat(folder, &status) == 0, status.st_uid == owner { path = folder }
        }
        isState = path.hasSuffix("/.sidekick") || path.contains("/.sidekick/")
        self.path = path
    }

    /// Of the first path that a message names.
    init?(namedIn message: String) {
        guard let start = message.firstIndex(of: "/") else { return nil }
        self.init(of: String(message[start...].prefix { $0 != "'" && $0 != ":" && $0 != "\"" }))
    }

    /// What a person can do. Nobody is told to give away a folder that may hold others' things.
    var remedy: String {
        let user = currentUser
        guard owner != user else { return "\(path) is this process's own (uid \(user)): chmod -R u+rwX \(path)" }
        // In a namespace of users (systemd's PrivateUsers) everybody else is this one.
        let whose = owner == Self.overflow ? "another user" : "uid \(owner)"
        let whoever = owner == Self.overflow ? "" : ", or run this as uid \(owner)"
        guard isState else {
            return
                "\(path) belongs to \(whose) and this is uid \(user): let this uid write there, by its group or its owner,"
                + " or give a DESTINATION in a folder of its own\(whoever)"
        }
        return "\(path) belongs to \(whose) and this is uid \(user): as root, chown -R \(user) \(path)\(whoever)"
    }

    /// The kernel's `overflowuid`.
    private static let overflow: UInt32 = 65_534
}
