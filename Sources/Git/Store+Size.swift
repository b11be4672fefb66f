import FoundationEssentials
import Glibc
import Platform

/// What a store weighs.
public struct StoreSize: Sendable, Equatable {
    /// Packs: one for each fetch since the last compaction.
    public var packs = 0
    /// Objects in files of their own. We write none, and none is read.
    public var looseObjects = 0
    /// Objects in packs, about: by the size of the indexes.
    public var objects = 0
    /// Bytes of all these files and their indexes.
    public var bytes = 0
    /// Bytes of the largest file: the first fetch, or what the last compaction left.
    var largest = 0
}

extension Store {
    /// More packs than this are compacted. A lookup asks one after the other, and each is two files of at least a block:
    /// at this number that is half a megabyte, and a copy of everything is paid by as many updates. git packs at 50, too.
    static let maxPacks = 50

    /// More than twice what the last compaction left, and this much, is compacted. A small site is not worth the copy, and
    /// a store of twice its size keeps the disk within what is promised for a thousand updates.
    static let freeBytes = 8_000_000

    /// Where a compaction notes what it left, in bytes.
    var compactedFile: String { path + "/sidekick-compacted" }

    /// Counts what is in the store, by reading its folders. Empty for one that is not there.
    public func size() -> StoreSize {
        DiskThread.check()
        var size = StoreSize()
        for folder in Self.names(in: path + "/objects") {
            let isPack = folder == "pack"
            guard isPack || folder.utf8.count == 2 else { continue }
            for name in Self.names(in: "\(path)/objects/\(folder)") {
                var status = stat()
                guard lstat("\(path)/objects/\(folder)/\(name)", &status) == 0 else { continue }
                size.bytes += Int(status.st_size)
                size.largest = max(size.largest, Int(status.st_size))
                if !isPack { size.looseObjects += 1 } else if name.hasSuffix(".pack") { size.packs += 1 }
                if name.hasSuffix(".idx") {
                    size.objects += max(0, Int(status.st_size) - Self.indexHead) / Self.indexRow
                }
            }
        }
        return size
    }

    /// How much a compaction is worth its cost.
    public enum Compaction: Sendable {
        case needless
        /// When there is time for it.
        case due
        /// Before anything else: updates have come so fast, one after the other, that there never was.
        case overdue
    }

    /// Whether packs have piled up so far that `compact` is worth its cost, or what is kept has become so small. Cheap enough
    /// for every pass.
    ///
    /// - Parameter kept: the bytes of the largest tree that is kept; `nil` when that is not known.
    public func compaction(keeping kept: Int64? = nil) -> Compaction {
        let size = size()
        let noted = Compacted((try? String(contentsOfFile: compactedFile, encoding: .utf8)) ?? "")
        let left = max(size.largest, min(noted.left, size.bytes))
        func isOver(_ factor: Int) -> Bool {
            size.packs > factor * Self.maxPacks || size.bytes - left > factor * (left + Self.freeBytes)
        }
        return isOver(2) ? .overdue : isOver(1) || hasShrunk(size, left, noted, kept) ? .due : .needless
    }

    /// Whether most of it was of a site that was much larger: once for each time that it becomes half as large, so that a long
    /// history is not copied again and again. What was published before the last few fetches is not kept any more.
    private func hasShrunk(_ size: StoreSize, _ left: Int, _ noted: Compacted, _ kept: Int64?) -> Bool {
        guard let kept = kept.map({ Int($0) }), size.packs > StoreReference.published.count else { return false }
        return left > 2 * kept + Self.shrunkBytes && noted.kept.map { kept < $0 / 2 } ?? true
    }

    /// Less than this is not worth the copy.
    private static let shrunkBytes = 1_000_000

    /// Whether there is something to gain.
    public func needsCompaction(keeping kept: Int64? = nil) -> Bool { compaction(keeping: kept) != .needless }

    /// Bytes of an index that are not of its objects, and those of each (gitformat-pack(5)).
    private static let (indexHead, indexRow) = (1_072, 28)

    private static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }
}

/// What a compaction noted: the bytes that it left, and those of the largest tree that was kept then.
struct Compacted {
    let left: Int
    let kept: Int?

    init(left: Int, kept: Int64?) { (self.left, self.kept) = (left, kept.map { Int($0) }) }

    init(_ text: String) {
        let words = text.parts(at: " ").map { Int($0) }
        left = (words.first ?? nil) ?? 0
        kept = words.count > 1 ? words[1] : nil
    }

    var text: String { kept.map { "\(left) \($0)" } ?? "\(left)" }
}
