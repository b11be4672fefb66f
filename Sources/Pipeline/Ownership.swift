import Glibc

/// Whose something is that this process may not use.
struct Ownership {
    /// The place that has to change hands: what was asked for, or the last folder on the way there that can be seen at all.
    let path: String
    let owner: UInt32

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
        self.path = path
    }

    /// Of the first path that a message names.
    init?(namedIn message: String) {
        guard let start = message.firstIndex(of: "/") else { return nil }
        self.init(of: String(message[start...].prefix { $0 != "'" && $0 != ":" && $0 != "\"" }))
    }

    /// What a person can do so that this process may write there.
    var remedy: String {
        let user = currentUser
        guard owner != user else {
            return
                "it is this process's own (uid \(user)) and may not be changed: chmod -R u+rwX \(path), or remount it writable"
        }
        return
            "\(path) belongs to uid \(owner) and this is uid \(user): as root, chown -R \(user) \(path), or chmod -R g+rwX"
            + " for its group, or run this as uid \(owner)"
    }
}
