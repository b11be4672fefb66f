import Git

extension Destination {
    /// Whether all that is remembered can be read, before anything is done on its account.
    ///
    /// - Throws: `PublishingError.newerState` for what a later program wrote.
    func checkFormats() throws {
        guard try FileStatus.of(home) != nil else { return }
        let (pool, folder, shelf) = (TreePool(self), try Directory(opening: home), RecordShelf(home: home))
        for name in try pool.names(in: "records") { _ = try pool.record(of: name) }
        for name in [FolderLayout.recordName, FolderLayout.nextRecordName] { _ = try shelf.read(name, in: folder) }
        _ = try folder.read(FolderLayout.intentName) { try Intent(decoding: $0) }
    }
}
