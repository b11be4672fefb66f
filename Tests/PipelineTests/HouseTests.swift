import Foundation
import Pipeline
import TestSupport
import Testing

@Suite struct `The house` {
    /// Which rooms a room may see (and which of the language's own). The compiler lets a transitive import pass.
    private static let arrows: [String: Set<String>] = [
        "Platform": ["CLinux", "COpenSSL"],
        "Git": ["CLibgit2", "CGitMemory", "CLinux", "CZlib", "CDeflate", "Platform"],
        "Upstream": [
            "CLinux", "COpenSSL", "Platform", "Git", "NIOCore", "NIOHTTP1", "NIOHTTPCompression", "NIOPosix",
            "Subprocess",
        ],
        "Trust": ["COpenSSL", "Platform"],
        "Content": ["Platform", "Git"],
        "Publishing": ["CLinux", "Platform", "Git", "Content"],
        "Pipeline": [
            "CLinux", "Platform", "Git", "Content", "Trust", "Upstream", "Publishing", "Logging", "Subprocess",
            "SystemPackage",
        ],
        "Edge": [
            "Platform", "Pipeline", "Upstream", "HTTPTypes", "HummingbirdCore", "Logging", "NIOCore",
            "NIOHTTPTypes",
            "NIOPosix",
            "ServiceLifecycle",
        ],
        "sidekick": ["Platform", "Edge", "Pipeline", "ArgumentParser", "Logging", "ServiceLifecycle", "UnixSignals"],
    ]
    private static let system: Set<String> = ["Glibc", "Dispatch", "Synchronization", "FoundationEssentials"]

    private func files(_ folder: String) throws -> [(path: String, text: String)] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }.map {
            ($0, try String(contentsOfFile: folder + "/" + $0, encoding: .utf8))
        }
    }

    @Test func `no room imports one that it may not know`() throws {
        let sources = Nginx.project + "/Sources"
        let rooms = try FileManager.default.contentsOfDirectory(atPath: sources).filter {
            !$0.hasPrefix("C") || $0 == "Content"
        }
        #expect(Set(rooms) == Set(Self.arrows.keys))
        for (room, allowed) in Self.arrows {
            let files = try files(sources + "/" + room)
            #expect(!files.isEmpty)
            for (path, text) in files {
                for line in text.split(separator: "\n") where line.contains("import ") {
                    let words = line.split(separator: " ")
                    guard let position = words.firstIndex(of: "import"),
                        words[..<position].allSatisfy({ $0 == "public" || $0.hasPrefix("@") })
                    else { continue }
                    let module = String(words[position + 1])
                    #expect(allowed.union(Self.system).contains(module), "\(room)/\(path) imports \(module)")
                }
            }
        }
    }

    @Test func `the page on the architecture names the rooms and their arrows`() throws {
        let page = try String(contentsOfFile: Nginx.project + "/docs/architecture.md", encoding: .utf8)
        let rooms = try FileManager.default.contentsOfDirectory(atPath: Nginx.project + "/Sources")
        let section = try #require(
            page.components(separatedBy: "## Rooms\n").last?.components(separatedBy: "\n## ").first)
        var found: [String: Set<String>] = [:]
        for row in section.split(separator: "\n") where row.hasPrefix("| `") {
            let cells = row.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            func names(_ cell: String) -> [String] { cell.matches(of: /`(\w+)`/).map { String($0.1) } }
            found[try #require(names(cells[1]).first)] = Set(names(cells[4]))
        }
        #expect(Set(found.keys) == Set(rooms))
        for (room, arrows) in Self.arrows { #expect(found[room] == arrows.intersection(rooms), "\(room)") }
        let floors = Self.floors.map { $0.isEmpty ? "Publisher" : $0 }.map { "`\($0)`" }.joined(separator: " ← ")
        #expect(page.contains(floors))
    }

    /// From the ground up: each folder names types of those before it alone.
    private static let floors = ["Disk", "Rules", "Record", "Build", "Layouts", "Drift", ""]

    @Test func `no folder of Publishing names a type of one that stands on it`() throws {
        let files = try files(Nginx.project + "/Sources/Publishing").map { path, text in
            // Comments and texts may; what is put into a text is code.
            let code = text.split(separator: "\n").map { line in
                line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
            }.joined(separator: "\n")
            return (floor: path.contains("/") ? String(path.prefix { $0 != "/" }) : "", path: path, code: code)
        }
        #expect(Set(files.map(\.floor)) == Set(Self.floors))
        let declaration = /(?m)^(?:public |final |indirect )*(?:struct|class|enum|protocol) (\w+)/
        var homes: [String: Int] = [:]
        for file in files {
            for match in file.code.matches(of: declaration) {
                homes[String(match.1)] = Self.floors.firstIndex(of: file.floor)
            }
        }
        #expect(homes.count > 60, "it reads the declarations")
        for file in files {
            let floor = try #require(Self.floors.firstIndex(of: file.floor))
            let words = Set(file.code.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
            for word in words {
                if let home = homes[word], home > floor {
                    Issue.record("\(file.path) names \(word), of \(Self.floors[home])")
                }
            }
        }
    }

    /// Comments may name them. Both compare Characters, and what a stranger sends can glue a sign to the one that is looked for.
    @Test func `text is cut and escaped by bytes, never by Character`() throws {
        for room in Self.arrows.keys {
            for (path, text) in try files(Nginx.project + "/Sources/" + room) {
                for line in text.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                    for word in ["replacing(\"", "split(separator: \""] {
                        #expect(!line.contains(word), "\(room)/\(path): \(line)")
                    }
                }
            }
        }
    }

    @Test func `libgit2 opens no connection`() throws {
        let sources = Nginx.project + "/Sources"
        for path in try FileManager.default.subpathsOfDirectory(atPath: sources) {
            guard let text = try? String(contentsOfFile: sources + "/" + path, encoding: .utf8) else { continue }
            for word in ["git_remote", "git_clone", "git_fetch", "git_stream", "git_transport"] {
                #expect(!text.contains(word), "\(path) calls \(word)…")
            }
        }
    }

    @Test func `the environment is read in one place`() throws {
        for room in Self.arrows.keys where room != "sidekick" {
            for (path, text) in try files(Nginx.project + "/Sources/" + room) {
                for word in ["getenv(", "ProcessInfo", "environ["] where text.contains(word) {
                    #expect(
                        path == "Settings/SettingsReader.swift" && word == "environ[",
                        "\(room)/\(path) reads the environment")
                }
            }
        }
    }

    @Test func `every setting stands in the README's table as it is declared, and in the manual`() throws {
        let readme = try String(contentsOfFile: Nginx.project + "/README.md", encoding: .utf8)
        let manual = try Command.run([Sidekick.binary, "--help"]).text
        let page = try Command.run([Sidekick.binary, "manual-page"]).text
        let flat = manual.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for setting in Setting.all {
            let row = Self.row(setting)
            #expect(readme.contains(row), "README.md lacks the row\n\(row)")
            #expect(flat.contains(setting.name) && page.contains(".B \(setting.name)"), "\(setting.name)")
            if let flag = setting.flag { #expect(flat.contains("--\(flag) "), "--\(flag)") }
        }
        for row in readme.split(separator: "\n") where row.hasPrefix("| `") && row.contains("SIDEKICK_") {
            #expect(Setting.all.contains { Self.row($0) == row }, "no setting is declared as\n\(row)")
        }
    }

    /// A row of the README's table.
    private static func row(_ setting: Setting) -> String {
        let name = setting.fileName.map { "`\(setting.name)`, `\($0)`" } ?? "`\(setting.name)`"
        let flag = setting.flag.map { "`--\($0)`" } ?? ""
        let standard = setting.defaultValue.map { "`\($0)`" } ?? setting.defaultText
        return "| \(name) | \(flag) | \(standard) | \(setting.help) |"
    }

    /// What security.md promises has a test by its name.
    @Test func `each line of the page on security names the tests that show it`() throws {
        let text = try String(contentsOfFile: Nginx.project + "/docs/security.md", encoding: .utf8)
        let promises = text.components(separatedBy: "## What is in the updater's image")[0]
        let tests = Set(
            (FileManager.default.subpaths(atPath: Nginx.project + "/Tests") ?? []).map {
                ($0 as NSString).lastPathComponent
            })
        var statement = ""
        var statements: [String] = []
        for line in promises.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("- ") || line.hasPrefix("| ") || line.isEmpty {
                statements.append(statement)
                statement = ""
            }
            statement += line + " "
        }
        statements = (statements + [statement]).filter {
            ($0.hasPrefix("- ") || $0.hasPrefix("| ")) && !$0.hasPrefix("| it tries")
        }
        #expect(statements.count > 20)
        for statement in statements {
            guard let names = statement.firstMatch(of: /\[([^\[\]()]+)\] *\|? *$/)?.1 else {
                Issue.record("no test is named: \(statement)")
                continue
            }
            for name in names.split(separator: ",") {
                let file = name.trimmingCharacters(in: .whitespaces).replacingOccurrences(
                    of: "`Tests/Fuzz`", with: "Fuzz")
                let found = tests.contains(file) || tests.contains(file + ".swift")
                #expect(found, "no test is called \(file)")
            }
        }
    }
}
