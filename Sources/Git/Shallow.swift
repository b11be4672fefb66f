import Glibc

/// git's `shallow` file (gitformat-shallow: one id a line): commits whose parents need not be here.
extension Store {
    private var shallowFile: String { path + "/shallow" }

    /// The commits whose parents need not be here, in the order of the file.
    public func shallowCommits() throws -> [ObjectID] {
        guard isTaken(shallowFile) else { return [] }
        var status = stat()
        guard lstat(shallowFile, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw GitError(call: "store", code: -1, message: "\(shallowFile) is no file")
        }
        guard let stream = fopen(shallowFile, "re") else { throw failure(shallowFile) }
        defer { fclose(stream) }
        var commits: [ObjectID] = []
        var buffer = [CChar](repeating: 0, count: 128)
        while fgets(&buffer, Int32(buffer.count), stream) != nil {
            let line = buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
            if let id = ObjectID(hexDigits: line) { commits.append(id) }
        }
        return commits
    }

    /// Says which commits these are: all of it, and on the disk, or nothing.
    ///
    /// - Parameter before: what it says now.
    func setShallow(_ commits: Set<ObjectID>, instead before: [ObjectID]) throws {
        guard commits != Set(before) else { return }
        if commits.isEmpty {
            guard unlink(shallowFile) == 0 else { throw failure(shallowFile) }
            return try sync(path)
        }
        let text = commits.map(\.description).sorted().joined(separator: "\n") + "\n"
        let temporary = shallowFile + ".sidekick"
        guard let stream = fopen(temporary, "we") else { throw failure(temporary) }
        let written = fputs(text, stream) >= 0 && fflush(stream) == 0 && fsync(fileno(stream)) == 0
        guard fclose(stream) == 0, written, rename(temporary, shallowFile) == 0 else { throw failure(temporary) }
        // Before the pack that it is said of can be seen.
        try sync(path)
    }

    private func failure(_ file: String) -> GitError {
        GitError(call: "shallow", code: -1, message: "\(file): \(String(cString: strerror(errno)))", isLocalDisk: true)
    }
}
