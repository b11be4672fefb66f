import Git

extension Destination {
    /// Gives what programs until 0.1.0 wrote the names of today. Only for who owns DESTINATION.
    func upgradeNames() throws {
        let (folder, old, new) = (try Directory(opening: volumeFolder), EntryName("plans"), EntryName("dirty"))
        guard try folder.status(old) != nil, try folder.status(new) == nil else { return }
        try folder.rename(old, to: folder, as: new)
        try folder.sync()
    }

    /// Whether all that is remembered can be read, before anything is done on its account.
    ///
    /// - Throws: `PublishingError.newerState` for what a later program wrote.
    func checkFormats() throws {
        guard try FileStatus.of(volumeFolder) != nil else { return }
        let (pool, folder, shelf) = (
            TreePool(self), try Directory(opening: volumeFolder), RecordShelf(home: volumeFolder)
        )
        for name in try pool.names(in: "records") { try check { try pool.record(of: name) } }
        for name in [FolderLayout.recordName, FolderLayout.nextRecordName] {
            try check { try shelf.read(name, in: folder) }
        }
        try check { try folder.read(FolderLayout.intentName) { try Intent(decoding: $0) } }
    }

    /// What cannot be read now says nothing of who wrote it, and is no reason not to start.
    private func check<Value>(_ read: () throws -> Value?) throws {
        do { _ = try read() } catch is DiskError {}
    }
}
