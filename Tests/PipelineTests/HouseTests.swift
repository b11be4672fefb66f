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
        "Content": ["CDeflate", "Platform", "Git"],
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

    @Test func `every setting stands in its page as it is declared, and in the manual`() throws {
        let made = try Command.run([Sidekick.binary, "settings-page"]).text
        let page = try String(contentsOfFile: Nginx.project + "/docs/settings.md", encoding: .utf8)
        #expect(page == made, "run `make docs`")
        let manual = try Command.run([Sidekick.binary, "--help-all"]).text
        let man = try Command.run([Sidekick.binary, "manual-page"]).text
        let flat = manual.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let short = try Command.run([Sidekick.binary, "--help"]).text
        for setting in Setting.all {
            #expect(page.contains("| `\(setting.name)`"), "\(setting.name)")
            #expect(flat.contains(setting.name) && man.contains(".B \(setting.name)"), "\(setting.name)")
            if let flag = setting.flag {
                #expect(flat.contains("--\(flag) ") && short.contains("--\(flag)"), "--\(flag)")
            }
            #expect(!setting.example.isEmpty, "\(setting.name)")
        }
        #expect(Set(Setting.all.map(\.name)).count == Setting.all.count && Setting.all.count > 50)
    }

    /// Two screens of a terminal: nobody reads more of it.
    @Test func `the help fits two screens`() throws {
        for help in [["--help"], ["-h"], ["help"]] {
            let lines = try Command.run([Sidekick.binary] + help).text.split(
                separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 60, "\(lines.count) lines")
            #expect(lines.allSatisfy { $0.count <= 100 }, "\(lines.filter { $0.count > 100 })")
        }
    }

    @Test func `an example of each setting is one that is taken`() throws {
        for setting in Setting.all where setting.kind != .secret {
            var environment = ["REPOSITORY": "https://host/site.git", "DESTINATION": "/srv/www"]
            environment[setting.name] = setting.example
            // What is no use alone.
            switch setting {
            case .githubApp, .githubInstallation, .githubAPI:
                environment["SIDEKICK_GITHUB_APP_ID"] = Setting.githubApp.example
                environment["SIDEKICK_GITHUB_INSTALLATION_ID"] = Setting.githubInstallation.example
                environment["SIDEKICK_GITHUB_PRIVATE_KEY_FILE"] = "/run/secrets/app.pem"
            case .tlsCertFile, .tlsKeyFile:
                environment["SIDEKICK_TLS_CERT_FILE"] = Setting.tlsCertFile.example
                environment["SIDEKICK_TLS_KEY_FILE"] = Setting.tlsKeyFile.example
            case .verify: environment["SIDEKICK_TRUSTED_KEYS_FILE"] = Setting.trustedKeysFile.example
            case .peers:
                environment["SIDEKICK_LISTEN"] = ":8081"
                environment["SIDEKICK_WEBHOOK_SECRET_FILE"] = "/run/secrets/webhook"
            default: break
            }
            do throws(SettingsError) {
                _ = try Settings.parse(flags: [:], environment: environment)
            } catch {
                Issue.record("\(setting.name)=\(setting.example): \(error.problems)")
            }
        }
    }

    /// The pages that people read: README, and what is in `docs`.
    private static func pages() throws -> [String: String] {
        let docs = try FileManager.default.contentsOfDirectory(atPath: Nginx.project + "/docs")
        var pages: [String: String] = [:]
        for path in ["README.md", "CONTRIBUTING.md", "Benchmarks/README.md"] + docs.map({ "docs/" + $0 })
        where path.hasSuffix(".md") {
            pages[path] = try String(contentsOfFile: Nginx.project + "/" + path, encoding: .utf8)
        }
        return pages
    }

    @Test func `the README is read in one sitting`() throws {
        let lines = try Self.pages()["README.md"]!.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count - 1 <= 130)
        #expect(lines.allSatisfy { $0.count <= 110 }, "\(lines.filter { $0.count > 110 })")
    }

    @Test func `links, commands and settings of every page are there`() throws {
        let makefile = try String(contentsOfFile: Nginx.project + "/Makefile", encoding: .utf8)
        // Those of a compose file, and what Kubernetes makes of a Service.
        let names = Set(
            Setting.all.flatMap { [$0.name, $0.fileName].compactMap { $0 } } + ["SIDEKICK_UID", "SIDEKICK_PORT"])
        let flags = Set(Setting.all.compactMap(\.flag) + ["once", "help", "help-all", "version"])
        let commands = ["check", "status", "health", "sync", "verify", "rollback", "resume", "manual-page"]
        for (page, text) in try Self.pages() {
            let folder = (page as NSString).deletingLastPathComponent
            for match in text.matches(of: /\]\(([^)#\s]+)(#[^)]*)?\)/) {
                let target = String(match.1)
                guard !target.contains("://") else { continue }
                let path = Nginx.project + "/" + (folder.isEmpty ? "" : folder + "/") + target
                #expect(FileManager.default.fileExists(atPath: path), "\(page) links to \(target)")
            }
            for match in text.matches(of: /\bSIDEKICK_[A-Z_]*[A-Z]\b/) {
                let name = String(match.0)
                // What tests and benchmarks read.
                let isOurs = page == "CONTRIBUTING.md" || page.hasPrefix("Benchmarks/")
                #expect(isOurs || names.contains(name), "\(page) names \(name)")
            }
            // In code: at the start of a line of it, behind variables, or in backticks.
            for match in text.matches(
                of: /(?:^ {4}(?:[A-Z_]+=\S+ )*|`)sidekick ([a-z][a-z-]*)\b(?![:@])/.anchorsMatchLineEndings())
            {
                // The first words of files of the state folder, and of a table.
                let isOther = page == "docs/architecture.md" || page.hasPrefix("Benchmarks/")
                #expect(isOther || commands.contains(String(match.1)), "\(page): \(match.0)")
            }
            for match in text.matches(of: /(?:^ {4}|`|&& (?:sudo )?)make ([a-z]+)/.anchorsMatchLineEndings()) {
                #expect(makefile.contains("\n\(match.1):"), "\(page): make \(match.1)")
            }
            if page == "README.md" {
                for match in text.matches(of: /^ {4}.*sidekick .*$/.anchorsMatchLineEndings()) {
                    for flag in match.0.matches(of: #/ --([a-z-]+)/#) where !match.0.contains("helm") {
                        #expect(flags.contains(String(flag.1)) || flag.1 == "plan", "--\(flag.1)")
                    }
                }
            }
        }
    }

    /// Whoever searches for a line finds what it means.
    @Test func `every line of the log stands in the page on operating, and no other`() throws {
        let page = try Self.pages()["docs/operating.md"]!
        let start = try #require(page.range(of: "| level | words | when | fields |"))
        let table = page[start.upperBound...].components(separatedBy: "\n\n")[0]
        var rows: Set<String> = []
        for line in table.split(separator: "\n").dropFirst() {
            let cells = line.split(separator: "|")
            for words in cells.count > 1 ? cells[1].matches(of: /`([^`]+)`/) : [] { rows.insert(String(words.1)) }
        }
        var told: Set<String> = []
        for room in Self.arrows.keys {
            for (_, text) in try files(Nginx.project + "/Sources/" + room) {
                let call =
                    /(?:logger|Logger\(label: "sidekick"\))\s*\.(?:debug|info|notice|warning|error|log\(\s*level: [^"]*?,)\(?\s*"([^"\\]+)"/
                for match in text.matches(of: call) { told.insert(String(match.1)) }
            }
        }
        told.formUnion(["pass failed", "cannot start", "notice"])
        #expect(told.count > 40)
        #expect(rows.subtracting(told) == [] && told.subtracting(rows) == [])
    }

    /// Whoever comes from there finds each of its flags.
    @Test func `every flag of git-sync has a row in the page on migrating, and none that it has not`() throws {
        let page = try Self.pages()["docs/migrating.md"]!
        let table = page.components(separatedBy: "| git-sync v4 | sidekick | |")[1].components(separatedBy: "\n\n")[0]
        let list = try String(contentsOfFile: Nginx.project + "/Tests/Fixtures/git-sync-flags", encoding: .utf8)
        let flags = Set(list.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init))
        let rows = table.split(separator: "\n").dropFirst().map { String($0.split(separator: "|")[0]) }
        let told = Set(rows.flatMap { $0.matches(of: #/`--?([a-z-]+)/#).map { String($0.1) } })
        #expect(flags.count > 60 && told == flags, "\(told.symmetricDifference(flags).sorted())")
    }

    /// What security.md promises has a test by its name.
    @Test func `each promise names the tests that show it`() throws {
        let pages = try Self.pages()
        let promises =
            pages["docs/security.md"]!.components(separatedBy: "## What is in the updater's image")[0]
            + pages["README.md"]!.components(separatedBy: "| promise | shown by |")[1].components(
                separatedBy: "\n\n")[0]
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
