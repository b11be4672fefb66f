import Git
import Testing

@testable import Upstream

@Suite struct `Names of references` {
    private let one = ObjectID(hex: String(repeating: "1", count: 40))!
    private let two = ObjectID(hex: String(repeating: "2", count: 40))!

    private func resolve(_ name: String, _ references: [Reference]) throws -> (reference: Reference, warnings: [String])
    {
        try #require(RefSelection(reading: name)).resolve(
            address: "x", names: { references.map(\.name) }, { full in references.first { $0.name == full } })
    }

    @Test func `a branch wins over a tag of the same name, with a warning`() throws {
        let references = [Reference(name: "refs/heads/v1", target: one), Reference(name: "refs/tags/v1", target: two)]
        let (reference, warnings) = try resolve("v1", references)
        #expect(reference.target == one)
        #expect(warnings.count == 1)
        #expect(try resolve("refs/tags/v1", references).reference.target == two)
        #expect(try resolve("tags/v1", references).reference.target == two)
    }

    @Test func `a name that nothing has is an error with the name escaped`() {
        #expect {
            try resolve("gone\u{1B}[0m", [])
        } throws: { error in
            !"\(error)".unicodeScalars.contains { $0.value == 0x1B } && "\(error)".contains("gone")
        }
    }

    @Test func `forty digits are a commit`() {
        #expect(RefSelection(reading: one.description) == .commit(one))
        #expect(
            RefSelection(reading: String(one.description.dropLast()))
                == .name(ReferenceName(one.description.dropLast())))
        #expect(RefSelection(reading: "HEAD") == .head)
    }
}
