import Content
import Git
import Platform
import Upstream

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

    /// What becomes of one.
    enum Decision {
        case follow(RemoteURL)
        case leave(String)
    }

    /// - Parameters:
    ///   - parent: the address of the repository that has it, absolute.
    ///   - followed: REPOSITORY.
    func decision(at parent: RemoteURL, _ recipe: Recipe, following followed: RemoteURL) -> Decision {
        if let reason = module.leftOut { return .leave(reason) }
        let url: RemoteURL
        do throws(RemoteURL.Invalid) {
            url = try RemoteURL.isRelative(module.url) ? parent.resolving(module.url) : RemoteURL(module.url)
        } catch {
            return .leave("its url is no address: \(module.url.printable(limit: 80))")
        }
        // A path on this machine is nothing that a repository elsewhere may name (CVE-2022-39253).
        if url.transport == .local, parent.transport != .local || !url.address.hasPrefix("/") {
            return .leave("its url is a path on this machine")
        }
        if recipe.submodules == .sameHost, !followed.isHome(of: url) {
            return .leave("\(url.address.printable(limit: 200)) is not at REPOSITORY's host (SIDEKICK_SUBMODULES=on)")
        }
        return .follow(url)
    }
}

extension RemoteURL {
    /// What relative addresses of its submodules begin with.
    var asParent: RemoteURL { (try? absolute()) ?? self }
}
