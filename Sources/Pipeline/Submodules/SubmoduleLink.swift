import Content
import Git
import Platform

/// A gitlink of a repository, and what its `.gitmodules` says of it.
struct SubmoduleLink: Sendable {
    /// From the root of the commit that is published.
    let path: TreePath
    let commit: ObjectID
    let module: ModuleList.Module

    /// Those of one repository that are part of what is published. Where there is no `.gitmodules`, there is none to follow.
    ///
    /// - Parameter folder: where the repository stands in the commit that is published.
    /// - Throws: `SubmoduleFailure` for a file that git cannot read either.
    static func all(of tree: ObjectID, at folder: TreePath, in store: Store, _ recipe: Recipe) throws -> [SubmoduleLink]
    {
        let repository = try store.open()
        let (name, size) = (ModuleList.name, ModuleList.maxSize)
        let file = folder.appending(name)
        let list: ModuleList
        do {
            guard let bytes = try repository.file(name, in: tree, atMost: size) else { return [] }
            list = try ModuleList(bytes)
        } catch let error as MalformedConfig {
            throw SyncError(
                stage: .fetch, cause: "\(file) cannot be read: \(error)", remedy: "mend that file and push it",
                recovery: .fixRemote, exitCode: .dataError)
        }
        let entries = try repository.entries(at: list.modules.map(\.path), in: tree)
        var seen: Set<TreePath> = []
        return list.modules.compactMap { module in
            guard let entry = entries[module.path], entry.kind == .submodule, seen.insert(module.path).inserted else {
                return nil
            }
            let path = module.path.components.reduce(folder) { $0.appending($1) }
            return recipe.reaches(path) ? SubmoduleLink(path: path, commit: entry.id, module: module) : nil
        }
    }
}
