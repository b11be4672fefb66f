import FoundationEssentials
import Platform

extension RemoteURL {
    /// Whether an address in `.gitmodules` is a way from the address of the repository that names it (git-submodule(1), add).
    public static func isRelative(_ text: String) -> Bool {
        text.utf8.starts(with: "./".utf8) || text.utf8.starts(with: "../".utf8)
    }

    /// The address that a way leads to from this one, as git joins them (`relative_url`): text, whatever the path means. What
    /// comes of it may have another host.
    ///
    /// - Throws: `Invalid` where nothing is left that could be gone up, and for what is no address.
    public func resolving(_ way: String) throws(Invalid) -> RemoteURL {
        var base = Array(address.utf8)
        if base.last == UInt8(ascii: "/") { base.removeLast() }
        var (rest, separator) = (Array(way.utf8)[...], UInt8(ascii: "/"))
        while true {
            if rest.starts(with: "../".utf8) {
                rest = rest.dropFirst(3)
                if let slash = base.lastIndex(of: UInt8(ascii: "/")) {
                    base.removeSubrange(slash...)
                } else if let colon = base.lastIndex(of: UInt8(ascii: ":")) {
                    base.removeSubrange(colon...)
                    separator = UInt8(ascii: ":")
                } else {
                    throw .path
                }
            } else if rest.starts(with: "./".utf8) {
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        var joined = base + [separator] + rest
        if rest.last == UInt8(ascii: "/") { joined.removeLast() }
        let url = try RemoteURL(joined.asText)
        // The user of an address is not in what was joined.
        return isHome(of: url) ? url.with(user: url.user ?? user) : url
    }

    /// A path on this machine from its root; any other address as it is.
    ///
    /// - Throws: `Invalid` for a path that is none any more.
    public func absolute() throws(Invalid) -> RemoteURL {
        guard transport == .local, !address.hasPrefix("/") else { return self }
        let way = address.hasPrefix("./") || address.hasPrefix("../") ? address : "./" + address
        return try RemoteURL(FileManager.default.currentDirectoryPath).resolving(way)
    }

    /// Whether another address has the scheme, the host and the port of this one; both of a file system have.
    public func isHome(of other: RemoteURL) -> Bool { transport == other.transport && authority == other.authority }
}
