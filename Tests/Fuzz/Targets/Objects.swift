/// Feeds the readers of what stands in a repository: commits, tags, `.gitmodules`, `.lfsconfig`, pointers of Git LFS. Each must end in values
/// or an error, and what is signed must not have grown.
package func fuzzObjects(_ input: [UInt8]) {
    let id = [UInt8](repeating: 0, count: 20).withUnsafeBytes { ObjectID(bytes: $0) }
    _ = try? input.withUnsafeBytes { bytes throws(GitError) in try Commit(id, reading: bytes) }
    let commit = SignedObject(commit: input)
    precondition(commit.payload.count + commit.signature.count <= input.count)
    let tag = AnnotatedTag(reading: input)
    precondition(tag.signed.payload.count + tag.signed.signature.count <= input.count)
    do throws(MalformedConfig) {
        for module in try ModuleList(input).modules { precondition(!module.path.components.contains(EntryName(".."))) }
    } catch {
        precondition(error.description.utf8.count < 2_000)
    }
    do throws(MalformedConfig) { _ = try LFSConfig(input) } catch { precondition(error.description.utf8.count < 2_000) }
    if let pointer = LFSPointer(input) { precondition(pointer.object.size >= 0) }
}
