import Platform

/// What a commit says of itself, for people.
public struct CommitNote: Sendable, Equatable {
    /// The lines up to the first that is empty, as one, as `git log --format=%s` has it; what cannot be read of it is replaced.
    public let subject: String
    /// The author's name, without an address.
    public let author: String

    /// More of either is for nobody to read in a list.
    private static let length = 200

    init(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        var author = ""
        func takeLine() -> Slice<UnsafeRawBufferPointer>? {
            guard !rest.isEmpty else { return nil }
            let end = rest.firstIndex(of: 10) ?? rest.endIndex
            defer { rest = rest[min(end + 1, rest.endIndex)...] }
            return rest[..<end]
        }
        while let line = takeLine(), !line.isEmpty {
            guard author.isEmpty, line.starts(with: "author ".utf8) else { continue }
            author = Self.text(line.dropFirst(7).prefix { $0 != UInt8(ascii: "<") })
        }
        var subject: [String] = []
        while let line = takeLine() {
            let text = Self.text(line)
            if text.isEmpty && !subject.isEmpty { break }
            if !text.isEmpty { subject.append(text) }
        }
        self.subject = subject.joined(separator: " ").printable(limit: Self.length)
        self.author = author.printable(limit: Self.length)
    }

    /// Without what is blank at its end.
    private static func text(_ line: Slice<UnsafeRawBufferPointer>) -> String {
        let end = line.lastIndex { $0 != 32 && !(9...13).contains($0) }.map { $0 + 1 } ?? line.startIndex
        return String(decoding: line[..<end], as: UTF8.self)
    }
}

extension Repository {
    /// What a commit says of itself.
    public borrowing func note(of commit: ObjectID) throws(GitError) -> CommitNote {
        try withObject(commit, .commit) { bytes throws(GitError) in CommitNote(bytes) }
    }
}
