import Foundation
import TestSupport
import Testing

@Suite struct `A server that refuses in its own words` {
    /// What is told of it must not look like a line of ours.
    private static let words =
        "y \" level=\"info\" commit=\"0000\" remedy=\"all is well\\\" x=\u{d4e}\"\r\n2026-01-01T00:00:00Z notice published \u{1b}[2K"

    private static let stages: [(stage: GitScript.Stage, bytes: @Sendable (String) -> [UInt8])] = [
        (.capabilities, { Packet.line("ERR \($0)") }), (.references, { Packet.line("ERR \($0)") }),
        (.acknowledgments, { Packet.line("ERR \($0)") }), (.pack, { Packet.line("\u{3}\($0)") }),
        (.pack, { Packet.line("ERR \($0)") }),
    ]

    @Test(arguments: ScriptedGitServer.Door.allCases)
    func `is blamed, and its words stay within their quotes`(door: ScriptedGitServer.Door) async throws {
        let server = try ScriptedGitServer(door, GitScript(RawCommit(["index.html": "one"])))
        let folder = try TemporaryFolder()
        #expect(try await Sidekick.once([server.url, folder("www")]).status == 0)
        for (number, refusal) in Self.stages.enumerated() {
            var script = try GitScript(RawCommit(["index.html": "two"]))
            script.instead[refusal.stage] = [.bytes(refusal.bytes(Self.words)), .hangUp]
            server.script = script
            let pass = try await Sidekick.once([server.url, folder("www")])
            #expect(pass.status == 69, "\(number): \(pass.log)")
            #expect(try folder.read("www/index.html") == "one")
            let lines = pass.log.unicodeScalars.split(separator: "\n").map { String($0) }
            let failed = try #require(lines.first { $0.contains(" error ") }, "\(number): \(pass.log)")
            let fields = Self.fields(of: failed)
            #expect(Set(fields.map(\.name)) == ["stage", "cause", "remedy"] && fields.count == 3, "\(failed)")
            #expect(fields.first { $0.name == "cause" }?.value.contains("level=") == true, "\(number): \(failed)")
            #expect(lines.allSatisfy { line in !line.unicodeScalars.contains { $0.value < 32 } }, "\(pass.log)")
            #expect(!lines.contains { $0.contains(" notice published") && !$0.contains(" error ") }, "\(pass.log)")
        }
        server.script = try GitScript(RawCommit(["index.html": "two"]))
        #expect(try await Sidekick.once([server.url, folder("www")]).status == 0)
        #expect(try folder.read("www/index.html") == "two")
    }

    /// As a reader of logfmt sees them, scalar by scalar.
    private static func fields(of line: String) -> [(name: String, value: String)] {
        let field = /([a-zA-Z_]+)=("((?:[^"\\]|\\.)*)"|[^ "]*)/.matchingSemantics(.unicodeScalar)
        return line.matches(of: field).map { (String($0.1), String($0.3 ?? $0.2)) }
    }
}
