import CLibgit2
import Glibc

extension Repository {
    /// Reads one reference by its full name, symbolic ones followed and tags peeled; `nil` when it does not exist.
    public borrowing func reference(_ name: String) throws(GitError) -> Reference? {
        let pointer = pointer
        do {
            let reference = try handle("git_reference_lookup") { git_reference_lookup(&$0, pointer, name) }
            defer { git_reference_free(reference) }
            let symbolic = git_reference_symbolic_target(reference).map { String(cString: $0) }
            var oid = git_oid()
            try check("git_reference_name_to_id") { git_reference_name_to_id(&oid, pointer, name) }
            let target = ObjectID(oid)
            return Reference(name: name, target: target, peeled: try peel(target), symbolic: symbolic)
        } catch  where error.isNotFound || error.isInvalidName {
            return nil
        }
    }

    /// The commit behind an object: itself, or what an annotated tag leads to. `nil` when it leads to none.
    public borrowing func peel(_ id: ObjectID) throws(GitError) -> ObjectID? {
        var oid = id.raw
        let pointer = pointer
        let object = try handle("git_object_lookup") { git_object_lookup(&$0, pointer, &oid, GIT_OBJECT_ANY) }
        defer { git_object_free(object) }
        var commit: OpaquePointer?
        guard git_object_peel(&commit, object, GIT_OBJECT_COMMIT) == 0, let commit else { return nil }
        defer { git_object_free(commit) }
        return git_object_id(commit).map { ObjectID($0.pointee) }
    }

    /// Reads what the references of our own name, so that a store which is damaged shows before a remote is blamed for it.
    ///
    /// - Parameter name: the reference whose tree is read too.
    /// - Throws: `GitError` when a reference is there and it, its commit or that tree cannot be read.
    public borrowing func verify(_ name: String) throws(GitError) {
        for (reference, id) in try references() {
            let commit = try commit(id)
            if reference == name { _ = try entries(of: commit.tree) }
        }
    }

    /// All references but HEAD, and what they name.
    public borrowing func references() throws(GitError) -> [(name: String, id: ObjectID)] {
        let pointer = pointer
        var references: [(String, ObjectID)] = []
        for name in try referenceNames() {
            var oid = git_oid()
            try check("git_reference_name_to_id") { git_reference_name_to_id(&oid, pointer, name) }
            references.append((name, ObjectID(oid)))
        }
        return references
    }

    /// The full names of all references but HEAD.
    public borrowing func referenceNames() throws(GitError) -> [String] {
        let pointer = pointer
        var names = git_strarray()
        try check("git_reference_list") { git_reference_list(&names, pointer) }
        defer { git_strarray_dispose(&names) }
        return UnsafeBufferPointer(start: names.strings, count: names.count).compactMap { name in
            name.map { String(cString: $0) }
        }
    }

    /// Points a reference at an object, whatever it pointed to before, and if it was garbage.
    public borrowing func setReference(_ name: String, to id: ObjectID) throws(GitError) {
        do {
            try create(name, id)
        } catch  where error.isAboutObjects {
            // libgit2 reads what it is to replace. A file that it cannot read is worth less than the store around it.
            guard unlink(path + name) == 0 else { throw error }
            try create(name, id)
        }
    }

    private borrowing func create(_ name: String, _ id: ObjectID) throws(GitError) {
        var oid = id.raw
        let pointer = pointer
        let reference = try handle("git_reference_create") { git_reference_create(&$0, pointer, name, &oid, 1, nil) }
        git_reference_free(reference)
    }
}
