import Git
import Platform

extension Destination {
    /// Removes what a process that was killed left of the small files that it was about to replace.
    func sweepState() throws {
        let folder = try Directory(opening: stateFolder)
        for name in try folder.names() where Self.isLeftOver(name.bytes) { try folder.remove(name) }
    }

    /// The stores that a compaction exchanges end alike, and are none. Programs until 0.1.0 had another name for each time.
    private static func isLeftOver(_ name: [UInt8]) -> Bool {
        let endings = [".json", ".paths"].map { ($0 + WholeFile.temporarySuffix).utf8.reversed() }
        return name.starts(with: ".dat.nosync".utf8) || endings.contains { name.reversed().starts(with: $0) }
    }
}
