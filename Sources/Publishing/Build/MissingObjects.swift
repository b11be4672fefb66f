public import Git

/// Objects of Git LFS that a commit names and that are not here. Nothing has been made then: what they need is brought first.
public struct MissingObjects: Error, Sendable {
    /// Where an object belongs.
    public struct Place: Sendable {
        /// Below what is published.
        public let path: TreePath
        /// What belongs there.
        public let object: LFSObject
    }

    /// In the order of their paths.
    public let places: [Place]

    init(_ places: [Place]) { self.places = places }
}
