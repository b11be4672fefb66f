import Platform
import FoundationEssentials
import Glibc

/// Who is to blame when an object cannot be read or is missing: the store, or whoever sent the last one.
extension Store {
    /// Whether everything that was proven to be here once still can be read: then what is missing or broken came just now.
    /// Reads all of the store, so it is for the moment after a failure.
    ///
    /// - Throws: `GitError` where the disk cannot read it: nobody can tell then, and nobody else is to blame; `CancellationError`.
    public func isSound() throws -> Bool {
        let folder = path + "/objects/pack"
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return false }
        for name in names where name.hasPrefix("pack-") {
            // A pack without its index is what a kill leaves while one is let in: nothing reads it.
            if name.hasSuffix(".pack"), !names.contains(name.dropLast(4) + "idx") { continue }
            guard try Self.hasItsChecksum(folder + "/" + name) else { return false }
        }
        do {
            let repository = try open()
            let limits = ObjectLimits.current
            for name in try repository.referenceNames() where name.hasPrefix(StoreReference.prefix) {
                guard let target = try repository.reference(name)?.target else { return false }
                let tree = try repository.commit(target).tree
                try repository.proveConnected(tree: tree, given: nil, depth: .max, folders: limits.objects)
            }
            return true
        } catch let error as CancellationError {
            throw error
        } catch {
            return false
        }
    }

    /// A pack and an index end with the SHA-1 of what stands before (gitformat-pack(5)).
    private static func hasItsChecksum(_ file: String) throws -> Bool {
        let descriptor = Glibc.open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw GitError.disk("open", file) }
        defer { close(descriptor) }
        var (hash, last) = (SHA1(), [UInt8]())
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            try Task.checkCancellation()
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw GitError.disk("read", file) }
            guard count > 0 else { break }
            // The last twenty bytes are not part of it.
            let bytes = last + buffer[..<count]
            let end = max(0, bytes.count - 20)
            bytes[..<end].withUnsafeBytes { hash.update($0) }
            last = Array(bytes[end...])
        }
        return last.count == 20 && hash.digest() == last
    }
}
