import Foundation
import Platform
import TestSupport
import Testing

@testable import Git

@Suite struct `What a commit says of itself` {
    /// Odd messages and authors, told by git and by us.
    @Test func `is what git says of it`() throws {
        var numbers = SeededNumbers(seed: SeededNumbers.seed)
        let source = try GitRepository()
        let tree = try source.git("hash-object", "-t", "tree", "-w", "--stdin", input: Data())
        let pieces = [
            "word", " ", "  ", "\n", "\n\n", "\t", "é", "<b>", "author X <y> 1 +0000", "\r\n", "-", "gpgsig x",
        ]
        let names = ["A U Thor", "é", "X", " spaced  name ", "a.b", "", "< odd"]
        var commits: [String] = []
        for _ in 0..<Differential.count(300) {
            let message = (0..<Int.random(in: 0...6, using: &numbers)).map { _ in numbers.pick(pieces) }.joined()
            let who = "\(numbers.pick(names)) <x@y> 1700000000 +0100"
            var head = "tree \(tree)\nauthor \(who)\ncommitter C <c@d> 1700000000 +0000\n"
            if numbers.isOne(in: 4) { head += "gpgsig -----BEGIN\n \n author not me <a@b> 1 +0000\n -----END\n" }
            let bytes = Data("\(head)\n\(message)".utf8)
            commits.append(try source.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", input: bytes))
        }
        let told = try Command.run(
            ["git", "-C", source.path, "log", "--no-walk=unsorted", "--stdin", "--format=%H%x01%an%x01%s%x02"],
            environment: GitRepository.environment(), input: Data(commits.joined(separator: "\n").utf8)
        ).text
        let repository = try Repository(opening: source.path)
        var seen = 0
        for line in told.components(separatedBy: "\u{2}\n") where !line.isEmpty {
            let fields = line.components(separatedBy: "\u{1}")
            let id = try #require(ObjectID(hex: fields[0]))
            let note = try repository.note(of: id)
            #expect(note.author == fields[1].printable(), "\(fields)")
            #expect(note.subject == fields[2].printable(), "\(fields)")
            seen += 1
        }
        #expect(seen == Set(commits).count)
    }
}
