import FoundationEssentials
import Platform

extension Store {
    /// A store of its own inside this one, for a history that is only looked at.
    public var history: Store { Store(path: path + "/sidekick-history") }

    /// Makes an empty store for a moment, in place of what a kill may have left there.
    public func createTemporary() throws -> Repository {
        try remove()
        return try Repository(creatingBare: path)
    }

    /// Removes it.
    public func remove() throws {
        guard isTaken(path) else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw GitError(call: "store", code: -1, message: "\(path): \(error.fileFailure)", isLocalDisk: true)
        }
    }
}
