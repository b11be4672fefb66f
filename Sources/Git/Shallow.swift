import Glibc

extension Repository {
    /// The commits whose parents need not be here.
    public borrowing func shallowCommits() throws -> [ObjectID] {
        let file = path + "shallow"
        guard isTaken(file) else { return [] }
        var status = stat()
        guard lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw GitError(call: "store", code: -1, message: "\(file) is no file")
        }
        return try readLines(of: file).compactMap { ObjectID(hex: $0) }
    }

    /// Changes which commits these are. What is added must be on the disk before the commits are, what is removed after their
    /// parents.
    borrowing func changeShallow(adding: some Sequence<ObjectID>, removing: some Sequence<ObjectID>) throws {
        let standing = Set(try shallowCommits().map(\.description))
        try writeShallow(
            standing.union(adding.map(\.description)).subtracting(removing.map(\.description)), instead: standing)
    }

    /// Says in git's `shallow` file which of the objects that are about to come are commits whose parents need not be here
    /// (gitformat-shallow: one id a line). A commit that it names and that never comes is no harm to git.
    borrowing func setShallow(_ commits: [ObjectID], among objects: [ObjectID]) throws {
        let file = path + "shallow"
        let standing = Set((try? readLines(of: file)) ?? [])
        // What an interrupted copy to another depth said of them holds no more.
        let lines = (standing.isEmpty ? [] : standing.subtracting(objects.map(\.description)))
            .union(commits.map(\.description))
        try writeShallow(lines, instead: standing)
    }

    private borrowing func writeShallow(_ lines: Set<String>, instead standing: Set<String>) throws {
        let file = path + "shallow"
        guard lines != standing else { return }
        if lines.isEmpty {
            guard unlink(file) == 0 else { throw failure(file) }
            return
        }
        let text = lines.sorted().joined(separator: "\n") + "\n"
        let temporary = file + ".sidekick"
        guard let stream = fopen(temporary, "we") else { throw failure(temporary) }
        let written = fputs(text, stream) >= 0 && fflush(stream) == 0 && fsync(fileno(stream)) == 0
        guard fclose(stream) == 0, written, rename(temporary, file) == 0 else { throw failure(temporary) }
    }

    private borrowing func readLines(of file: String) throws -> [String] {
        guard let stream = fopen(file, "re") else { throw failure(file) }
        defer { fclose(stream) }
        var lines: [String] = []
        var buffer = [CChar](repeating: 0, count: 128)
        while fgets(&buffer, Int32(buffer.count), stream) != nil {
            let bytes = buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
            let line = String(decoding: bytes, as: UTF8.self)
            if ObjectID(hex: line) != nil { lines.append(line) }
        }
        return lines
    }

    private borrowing func failure(_ file: String) -> GitError {
        GitError(call: "shallow", code: -1, message: "\(file): \(String(cString: strerror(errno)))", isLocalDisk: true)
    }
}
