/// What a repository's `.lfsconfig` says of its server (git-lfs-config(5)): of the keys that git-lfs takes from it, the address alone
/// matters here.
public struct LFSConfig: Sendable, Equatable {
    /// Where it is, as it stands there.
    public private(set) var url: String?

    /// The name of the file, in the root of a commit's tree.
    public static let name = EntryName(".lfsconfig")
    /// Bytes of the file.
    public static let maxSize: Int64 = 1 << 16

    /// - Throws: `MalformedConfig` for what is no configuration.
    public init(_ bytes: [UInt8]) throws(MalformedConfig) {
        var reader = ConfigReader(bytes)
        var ofRemote: String?
        while let variable = try reader.next() {
            guard let section = variable.section, let value = variable.value else { continue }
            let text = String(decoding: value, as: UTF8.self)
            if section.elementsEqual("lfs".utf8), variable.subsection == nil, variable.key.elementsEqual("url".utf8) {
                url = text
            } else if section.elementsEqual("remote".utf8), variable.key.elementsEqual("lfsurl".utf8),
                variable.subsection?.elementsEqual("origin".utf8) ?? false
            {
                ofRemote = text
            }
        }
        url = url ?? ofRemote
    }
}
