import Foundation
import TestSupport

/// So many packs that a store with them has to be compacted: each of one blob that no commit has.
struct PackPile {
    static let shared = Result { try PackPile() }

    private let folder: TemporaryFolder

    private init() throws {
        let source = try GitRepository()
        folder = try TemporaryFolder()
        for number in 0..<60 {
            let blob = try source.git("hash-object", "-w", "--stdin", input: Data("\(number)".utf8))
            try source.git("pack-objects", "-q", folder("pack"), input: Data((blob + "\n").utf8))
        }
    }

    func copy(to store: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            try FileManager.default.copyItem(atPath: folder(name), toPath: "\(store)/objects/pack/\(name)")
        }
    }

    static func count(in store: String) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: store + "/objects/pack").count { $0.hasSuffix(".pack") }
    }
}
