public import Git

/// Objects of Git LFS that are wanted of a repository.
public struct LFSRequest: Sendable {
    /// Which; each once.
    public let objects: [LFSObject]
    /// Where they go.
    public let store: LFSStore
    /// The reference that led to them, by which a server may decide who may read them; `nil` for none.
    public let ref: ReferenceName?
    /// What the commit's `.lfsconfig` says.
    public let config: LFSConfig?

    /// Names its parts.
    public init(objects: [LFSObject], store: LFSStore, ref: ReferenceName?, config: LFSConfig?) {
        (self.objects, self.store, self.ref, self.config) = (objects, store, ref, config)
    }
}
