import CLibgit2
import FoundationEssentials
import Glibc

extension Repository {
    /// Reads one reference by its full name, symbolic ones followed and tags peeled; `nil` when it does not exist.
    public borrowing func reference(_ name: ReferenceName) throws(GitError) -> Reference? {
        guard !name.bytes.contains(0) else { return nil }
        let pointer = pointer
        do {
            let reference = try handle("git_reference_lookup") { reference in
                name.withCString { git_reference_lookup(&reference, pointer, $0) }
            }
            defer { git_reference_free(reference) }
            let symbolic = git_reference_symbolic_target(reference).map { ReferenceName($0) }
            let target = try target(of: name)
            return Reference(name: name, target: target, peeled: try peel(target), symbolic: symbolic)
        } catch  where error.isNotFound || error.isInvalidName {
            return nil
        }
    }

    /// What a reference of ours names, where it is one and can be read.
    borrowing func target(ofOwn name: ReferenceName) -> ObjectID? {
        var oid = git_oid()
        return name.withCString { git_reference_name_to_id(&oid, pointer, $0) } == 0 ? ObjectID(oid) : nil
    }

    private borrowing func target(of name: ReferenceName) throws(GitError) -> ObjectID {
        var oid = git_oid()
        let pointer = pointer
        try check("git_reference_name_to_id") { name.withCString { git_reference_name_to_id(&oid, pointer, $0) } }
        return ObjectID(oid)
    }

    /// What HEAD names when no such reference is there; `nil` where it names a commit, or one that is there.
    public borrowing func unbornHead() -> ReferenceName? {
        var reference: OpaquePointer?
        guard git_reference_lookup(&reference, pointer, "HEAD") == 0, let reference else { return nil }
        defer { git_reference_free(reference) }
        guard let target = git_reference_symbolic_target(reference).map({ ReferenceName($0) }),
            (try? self.target(of: target)) == nil
        else { return nil }
        return target
    }

    /// The commits that are remembered of an origin. A reference that cannot be read, or whose commit cannot, is dropped: it would
    /// be told to the server as something that is here.
    public borrowing func knownCommits(of origin: StoreOrigin) throws(GitError) -> [Commit] {
        var commits: [Commit] = []
        for name in try referenceNames() where origin.owns(name) {
            do {
                commits.append(try commit(try target(of: name)))
            } catch  where !error.isLocalDisk {
                unlink(path + name.text)
            }
        }
        return commits
    }

    /// The commits of submodules, of whichever repository.
    public borrowing func moduleCommits() throws(GitError) -> Set<ObjectID> {
        var commits: Set<ObjectID> = []
        for name in try referenceNames() where name.hasPrefix(StoreReference.modules) {
            if let target = try reference(name)?.target { commits.insert(target) }
        }
        return commits
    }

    /// Whether a submodule's commit was fetched and proven to be whole.
    public borrowing func hasModule(_ commit: ObjectID, of origin: StoreOrigin) throws(GitError) -> Bool {
        try reference(origin.name(of: commit))?.target == commit
    }

    /// Remembers a submodule's commit, once it is known to be whole.
    public borrowing func noteModule(_ commit: ObjectID, of origin: StoreOrigin) throws(GitError) {
        try setReference(origin.name(of: commit), to: commit)
    }

    /// The full names of all references but HEAD.
    public borrowing func referenceNames() throws(GitError) -> [ReferenceName] {
        let pointer = pointer
        var names = git_strarray()
        try check("git_reference_list") { git_reference_list(&names, pointer) }
        defer { git_strarray_dispose(&names) }
        return UnsafeBufferPointer(start: names.strings, count: names.count).compactMap { name in
            name.map { ReferenceName($0) }
        }
    }

    /// Points a reference of the store's at an object, whatever it pointed to before, and if it was garbage.
    public borrowing func setReference(_ name: ReferenceName, to id: ObjectID) throws(GitError) {
        do {
            try create(name, id)
        } catch  where error.isAboutObjects {
            // libgit2 reads what it is to replace. A file that it cannot read is worth less than the store around it.
            guard (try? FileManager.default.removeItem(atPath: path + name.text)) != nil else { throw error }
            try create(name, id)
        }
    }

    private borrowing func create(_ name: ReferenceName, _ id: ObjectID) throws(GitError) {
        var oid = id.raw
        let pointer = pointer
        let reference = try handle("git_reference_create") { reference in
            name.withCString { git_reference_create(&reference, pointer, $0, &oid, 1, nil) }
        }
        git_reference_free(reference)
    }
}

extension ReferenceName {
    fileprivate init(_ text: UnsafePointer<CChar>) {
        self.init(bytes: UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }
}
