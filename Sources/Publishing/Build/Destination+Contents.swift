public import Content
public import Git

extension Destination {
    /// What the trees of a repository are made of, with the objects of Git LFS that are here.
    public func contents(of repository: consuming Repository) -> Contents { Contents(repository, lfs: lfs) }
}
