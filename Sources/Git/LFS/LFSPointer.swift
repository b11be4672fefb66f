import Platform

/// What stands in a blob in place of a file of Git LFS (git-lfs, docs/spec.md). Read as git-lfs reads it, but for what a program of
/// the repository's own made (`ext-` lines), which nobody else can undo.
public struct LFSPointer: Sendable, Equatable {
    /// What it stands for.
    public let object: LFSObject

    /// Bytes that a blob with one in it may have: the shortest lines, and what git-lfs takes at most.
    public static let sizes: ClosedRange<Int64> = 100...1_023

    private static let versions = [
        "https://git-lfs.github.com/spec/v1", "https://hawser.github.com/spec/v1", "http://git-media.io/v/2",
    ]
    private static let keys = ["version", "oid", "size"]

    /// - Returns: `nil` for anything else.
    public init?(_ blob: some BidirectionalCollection<UInt8>) {
        var values: [[UInt8]] = []
        for line in Self.lines(of: Array(blob)) {
            guard values.count < Self.keys.count, let blank = line.firstIndex(of: UInt8(ascii: " ")),
                line[..<blank].elementsEqual(Self.keys[values.count].utf8)
            else { return nil }
            values.append(Array(line[(blank + 1)...]))
        }
        let method = "sha256:".utf8
        guard values.count == Self.keys.count, Self.versions.contains(where: { $0.utf8.elementsEqual(values[0]) }),
            values[1].starts(with: method), let id = LFSObjectID(hex: values[1].dropFirst(method.count)),
            let size = Int64(values[2].asText), size >= 0
        else { return nil }
        // There is one object without bytes.
        guard size > 0 || id == LFSObject.empty.id else { return nil }
        object = LFSObject(id: id, size: size)
    }

    /// Those with something in them, without white space around all of them.
    private static func lines(of blob: [UInt8]) -> [ArraySlice<UInt8>] {
        let isSpace: (UInt8) -> Bool = { $0 == 32 || (9...13).contains($0) }
        guard let first = blob.firstIndex(where: { !isSpace($0) }), let last = blob.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return blob[first...last].split(separator: UInt8(ascii: "\n"))
            .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }.filter { !$0.isEmpty }
    }
}
