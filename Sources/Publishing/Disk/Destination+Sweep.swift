import Git

extension Destination {
    /// Removes what a process that was killed while it wrote `status.json` left. Foundation makes a file under a name of its
    /// own, another one each time, before it renames it.
    func sweepState() throws {
        let folder = try Directory(opening: state)
        for name in try folder.names() where name.bytes.starts(with: ".dat.nosync".utf8) { try folder.remove(name) }
    }
}
