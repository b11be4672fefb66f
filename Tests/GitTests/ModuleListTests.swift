import Foundation
import TestSupport
import Testing

@testable import Git

@Suite struct `The list of submodules` {
    private func list(_ text: String) throws -> ModuleList { try ModuleList(Array(text.utf8)) }

    @Test func `is read as git writes it`() throws {
        let found = try list(
            """
            [submodule "themes/x"]
            \tpath = themes/x
            \turl = https://host/x.git
            \tbranch = main
            [core]
            \tpath = nothing
            [submodule "y"]
            \tPath = "a b" ; not this
            \tURL = ../y.git
            \tupdate = none
            [submodule.OLD]
            path = old
            url = ./old
            [submodule "no url"]
            path = z
            """)
        #expect(
            found.modules.map { "\($0.path) \($0.url) \($0.leftOut ?? "")" } == [
                "themes/x https://host/x.git ", "a b ../y.git update = \"none\"", "old ./old ",
            ])
        #expect(found.refused.isEmpty)
    }

    @Test func `the first of two values counts`() throws {
        let found = try list("[submodule \"a\"]\npath=a\nurl=../b\nurl=../c\n[submodule \"a\"]\npath=d\n")
        #expect(found.modules.map { "\($0.path) \($0.url)" } == ["a ../b"])
    }

    @Test(
        "what git refuses is refused",
        arguments: [
            ("CVE-2018-11235", "[submodule \"../x\"]\npath=a\nurl=../b"),
            ("CVE-2018-11235", #"[submodule "a\\..\\b"]"# + "\npath=a\nurl=../b"),
            ("CVE-2018-11235", "[submodule \"\"]\npath=a\nurl=../b"),
            ("CVE-2018-17456", "[submodule \"a\"]\npath=a\nurl=-u./payload"),
            ("CVE-2018-17456", "[submodule \"a\"]\npath=-a\nurl=../b"),
            ("CVE-2020-5260", "[submodule \"a\"]\npath=a\nurl=https://host/%0ahost=other/x.git"),
            ("CVE-2020-5260", "[submodule \"a\"]\npath=a\nurl=git://host/%0Ax"),
            ("CVE-2020-11008", "[submodule \"a\"]\npath=a\nurl=../../../:host/x"),
            ("CVE-2020-11008", "[submodule \"a\"]\npath=a\nurl=..//host/x"),
            ("CVE-2020-11008", "[submodule \"a\"]\npath=a\nurl=./%0ax"),
            ("CVE-2025-48384", "[submodule \"a\"]\npath=\"a\r\"\nurl=../b"),
            ("CVE-2025-48384", "[submodule \"a\"]\npath=a\nurl=\"../b\u{1b}\""),
        ])
    func refuses(cve: String, text: String) throws {
        let found = try list(text)
        #expect(found.modules.isEmpty && found.refused.count == 1, "\(cve): \(found)")
    }

    @Test(
        arguments: [
            "[submodule \"a\"\npath=a", "[submodule \"a\"]\npath", "[submodule \"a\"]\nurl = \"x",
            "[submodule \"a\"]\npath = \\x", "[submodule \"a\n\"]", "[sub module]",
            "[submodule \"a\"]\n_x = 1",
        ])
    func `what git cannot read is an error`(text: String) {
        #expect(throws: MalformedConfig.self) { try list(text) }
    }

    /// The reader of the syntax, against `git config --list`.
    @Test func `git reads the same variables in texts made at random`() throws {
        let folder = try TemporaryFolder()
        var numbers = SeededNumbers(seed: SeededNumbers.seed)
        let pieces = [
            "[submodule \"", "\"]", "[core]", "[submodule.a]", "\n", "\n", "\r\n", " ", "path", "url", "=", " = ", "a",
            "../b.git", "\"", "\\", "\\\\", "\\\"", "\\t", "\\\n", "#", ";", "x", "é", ".", "-", "\t", "[", "]", "U",
        ]
        var read = 0
        for _ in 0..<Differential.count(600) {
            var text = numbers.isOne(in: 3) ? "" : "[submodule \"a\"]\n\tpath = a\n"
            for _ in 0..<Int.random(in: 1...14, using: &numbers) { text += numbers.pick(pieces) }
            // What git of before 2.45 makes of a tab inside of a value is a space.
            if text.contains("\t") && text.contains("x\t") { continue }
            try folder.write(text, to: "config")
            let git = try Command.run(
                ["git", "config", "-f", folder("config"), "-z", "--list"], environment: GitRepository.environment(),
                mayFail: true)
            var ours: [String]? = []
            var reader = ConfigReader(Array(text.utf8))
            do {
                while let variable = try reader.next() {
                    let name = [variable.section, variable.subsection, variable.key].compactMap { $0 }
                        .map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
                    ours?.append(name + (variable.value.map { "\n" + String(decoding: $0, as: UTF8.self) } ?? ""))
                }
            } catch {
                ours = nil
            }
            let theirs =
                git.status == 0
                ? git.text.split(separator: "\0", omittingEmptySubsequences: false).dropLast().map(String.init) : nil
            let isSame =
                ours?.map { $0.replacingOccurrences(of: "\t", with: " ") }
                == theirs?.map { $0.replacingOccurrences(of: "\t", with: " ") }
            #expect(isSame, "\(text.debugDescription): \(String(describing: ours)), git: \(String(describing: theirs))")
            if theirs?.isEmpty == false { read += 1 }
        }
        #expect(read > 40, "\(read)")
    }
}
