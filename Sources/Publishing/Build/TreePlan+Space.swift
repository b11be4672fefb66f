import Content
import Git
import Glibc

extension TreePlan {
    /// What making it takes at least: blocks and inodes of what is not there yet, and of the folders of a tree that is made
    /// from nothing. Nothing is added for safety: a plan that fits must not be refused.
    ///
    /// - Parameter has: whether a leaf is linked or stays.
    func needs(
        isWhole: Bool, in folder: Directory, from contents: borrowing Contents, has: (Leaf) -> Bool
    ) throws -> Needs {
        let (_, block) = try Space.free(in: folder)
        var needs = Needs()
        var counted: Set<LFSObjectID> = []
        for leaf in leaves where !has(leaf) {
            guard case .lfs(let id) = leaf.content, let size = leaf.size else {
                needs.space.add(leaf.size ?? 0, block: block)
                continue
            }
            // A file of the store is that of a tree as well, at however many paths.
            let object = LFSObject(id: id, size: size)
            guard !contents.lfs.contains(object) else { continue }
            needs.missing.append(MissingObjects.Place(path: leaf.path, object: object))
            guard counted.insert(id).inserted else { continue }
            needs.ahead.add(size - contents.lfs.bytesHere(of: object), block: block)
        }
        // Their blocks are not counted: not every file system gives a folder one.
        if isWhole { needs.space.inodes = needs.space.inodes.map { $0 + Int64(folders.count) } }
        return needs
    }

    /// What is needed before a plan can be carried out.
    struct Needs {
        var space = Space.nothing
        /// What is brought before anything is given back.
        var ahead = Space.nothing
        var missing: [MissingObjects.Place] = []

        /// Refuses to begin what cannot end: first for want of space, so that nothing is brought in vain.
        func check(in folder: Directory, sparing: () throws -> Space = { .nothing }) throws {
            try ahead.check(in: folder)
            try space.adding(ahead).check(in: folder, sparing: sparing)
            if !missing.isEmpty { throw MissingObjects(missing) }
        }
    }

    /// Of that, what stands at its path already, whoever put it there.
    func occupiedSpace(at path: String, in folder: Directory, has: (Leaf) -> Bool) throws -> Space {
        guard try FileStatus.of(path)?.kind == .folder else { return .nothing }
        let (_, block) = try Space.free(in: folder)
        let folders = FolderCursor(root: try Directory(opening: path))
        var found = Space.nothing
        for leaf in leaves where !has(leaf) {
            guard let isExecutable = leaf.isExecutable, let folder = try folders.folder(at: leaf.path.parent),
                let status = try folder.status(leaf.name), status.kind == .file,
                status.permissions == FileModes.file(isExecutable: isExecutable), let size = leaf.size,
                try folder.has(leaf.content, size: size, at: leaf.name)
            else { continue }
            found.add(status.size, block: block)
        }
        return found
    }

    /// What leaves a tree before anything comes: files that no other tree shares.
    func freed(in root: Directory, keeps: (Leaf) -> Bool) throws -> Space {
        let folders = FolderCursor(root: root)
        var freed = Space.nothing
        for change in changes {
            if let new = change.new, keeps(new) { continue }
            guard let blocks = try folders.folder(at: change.path.parent)?.unsharedBlocks(of: change.path.name) else {
                continue
            }
            freed.add(blocks * 512, block: 512)
        }
        return freed
    }
}

extension Directory {
    /// The blocks of 512 bytes of a file that has no other name; `nil` for anything else.
    fileprivate func unsharedBlocks(of name: EntryName) throws(DiskError) -> Int64? {
        var status = stat()
        guard name.withCString({ fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            if errno == ENOENT { return nil }
            throw DiskError("look at", pathOf(name))
        }
        return status.st_mode & S_IFMT == S_IFREG && status.st_nlink == 1 ? Int64(status.st_blocks) : nil
    }
}
