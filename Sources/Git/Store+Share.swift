import FoundationEssentials
import Platform

/// Whether a folder that is followed is most of its repository.
public enum FolderShare: String, Sendable {
    /// All of the repository is fetched: a server that sends what differs of it has less work than one that compares two folders.
    case most
    /// The folder alone is.
    case part
}

extension Store {
    private var shareFile: String { path + "/sidekick-share" }

    /// What was found of a folder; `nil` where nobody has looked.
    public func share(of folder: TreePath) -> FolderShare? {
        guard let text = try? Data(contentsOf: URL(filePath: shareFile)), let end = text.firstIndex(of: 10) else {
            return nil
        }
        guard Array(text[(end + 1)...]) == folder.bytes else { return nil }
        return FolderShare(rawValue: String(decoding: text[..<end], as: UTF8.self))
    }

    /// Remembers it. What is lost is found out again.
    public func note(_ share: FolderShare, of folder: TreePath) {
        try? Data(Array("\(share.rawValue)\n".utf8) + folder.bytes).write(to: URL(filePath: shareFile))
    }

    /// What holds for another store of the same repository. What is `part` of one may have become more: it is looked at again.
    func carryShare(to other: Store) {
        guard let text = try? Data(contentsOf: URL(filePath: shareFile)), text.starts(with: "most".utf8) else { return }
        try? text.write(to: URL(filePath: other.shareFile))
    }
}
