import Glibc

extension Repository {
    /// Adds commits to git's `shallow` file: they are here, their parents need not be (gitformat-shallow: one id a line).
    borrowing func addShallow(_ commits: [ObjectID]) throws {
        let file = path + "shallow"
        var lines = Set((try? readLines(of: file)) ?? [])
        lines.formUnion(commits.map(\.description))
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
