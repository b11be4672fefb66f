import Foundation
import Platform
import TestSupport
import Testing

@testable import Upstream

/// What `git credential-store get` says: a process each, so these are hundreds.
private struct GitCredentialStore {
    struct Question {
        let store: String
        let host: String
        let user: String?
    }

    static func ask(_ questions: [Question]) throws -> [String?] {
        let folder = try TemporaryFolder()
        let program = """
            while [ $# -gt 0 ]; do
                printf %s "$1" >store; printf %s "$2" >question; shift 2
                git credential-store --file store get <question; printf '\\0'
            done
            """
        var answers: [String?] = []
        for start in stride(from: 0, to: questions.count, by: 1_000) {
            let arguments = questions[start..<min(start + 1_000, questions.count)].flatMap { question in
                [
                    question.store,
                    "protocol=https\nhost=\(question.host)\n" + (question.user.map { "username=\($0)\n" } ?? ""),
                ]
            }
            let result = try Command.run(
                ["sh", "-c", program, "sh"] + arguments, in: folder.path, environment: GitRepository.environment())
            answers += result.text.split(separator: "\0", omittingEmptySubsequences: false).dropLast().map {
                Self.pair($0)
            }
        }
        return answers
    }

    private static func pair(_ text: Substring) -> String? {
        let fields = text.unicodeScalars.split(separator: "\n").map { line in
            String(line[line.index(after: line.firstIndex(of: "=") ?? line.startIndex)...])
        }
        return fields.count == 2 ? fields.joined(separator: "\n") : nil
    }
}

/// Few hosts and users, so that they meet.
private struct RandomStore {
    var numbers: SeededNumbers

    private static let users = ["bob", "bob", "bob", "eve", "me%40example.org", "b%6Fb", "", "%62ob", "b+b", "é"]
    private static let passwords = [
        "one", "two", "p%40ss", "p%3Ass", "a:b", "a%41:%42", ":%41", "p%2Fw", "%zz%", "%00", "", "p@w", "\u{301}x",
        "x%0ay", "€",
    ]
    private static let hosts = [
        "git.example.org", "git.example.org", "git.example.org", "git.example.org", "g%69t.example.org",
        "example.org:8443", "%65xample.org:8443", "[::1]",
    ]
    private static let schemes = Array(repeating: "https", count: 12) + ["http", "HTTPS", " https", "", "git"]
    private static let paths = [
        "", "", "", "", "", "/", "//", "/group", "/group/", "/group/site.git", "/gr%6Fup", "/other", "?x", "#x",
        "/:%41",
    ]
    private static let letters = [":", "@", "%", "a", "\u{301}", "%41", " ", "x"]

    /// A colon by itself names it as well.
    private static func withoutStandardPort(_ line: String) -> String {
        let bytes = Array(line.utf8)
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")), [":", ":443"].contains(bytes[colon...].asText) else {
            return line
        }
        // Only where it is the host's one colon, before which nothing is decoded.
        guard let start = bytes[..<colon].lastIndex(where: { "@:]%".utf8.contains($0) }) else { return line }
        return "@]".utf8.contains(bytes[start]) ? bytes[..<colon].asText : line
    }

    /// A line, and what git is asked about instead, which knows neither capitals nor standard ports, and looks at no path.
    private mutating func line(_ path: String) -> (ours: String, git: String) {
        let scheme = numbers.pick(Self.schemes)
        let login = numbers.pick(Self.users) + (numbers.isOne(in: 12) ? "" : ":" + numbers.pick(Self.passwords))
        let host = numbers.pick(Self.hosts)
        let start = "\(scheme)://\(login)@"
        if numbers.isOne(in: 6) {
            let line = numbers.mutate(start + host, with: Self.letters)
            return (line, Self.withoutStandardPort(line))
        }
        let place = numbers.pick(Self.paths)
        let bare = place.replacing("%6F", with: "o").split(separator: "/").joined(separator: "/")
        let isFitting = bare.isEmpty || path == bare || path.hasPrefix(bare + "/")
        var ours = host
        if numbers.isOne(in: 5) { ours = ours.uppercased().replacing("%6F", with: "%6f") }
        if numbers.isOne(in: 5), !host.hasSuffix(":8443") { ours += ":443" }
        if host != ours, host.contains("%") { ours = host }
        let end = numbers.isOne(in: 10) ? "\r" : ""
        return (start + ours + place + end, isFitting ? start + host + place : "")
    }

    mutating func question() -> (store: String, address: String, git: GitCredentialStore.Question) {
        let host = numbers.pick(
            Array(repeating: "git.example.org", count: 6) + ["example.org:8443", "[::1]", "example.org"])
        let path = numbers.pick(["group/site.git", "group", "group2", "x", "group/site.git/info/refs"])
        let lines = (0..<Int.random(in: 2...6, using: &numbers)).map { _ in line(path) }
        let user = numbers.isOne(in: 2) ? nil : numbers.pick(["bob", "eve", "me@example.org", "é"])
        return (
            lines.map(\.ours).joined(separator: "\n"), "https://\(host)/\(path)",
            .init(store: lines.map(\.git).joined(separator: "\n"), host: host, user: user)
        )
    }
}

/// What curl sends, many questions in one process.
private struct CurlNetrc {
    struct Question {
        let netrc: String
        let host: String
        let user: String?
    }

    /// `user:password` for each, with no password where only the address has the user; nothing for none and for a file that
    /// curl refuses.
    static func ask(_ questions: [Question]) throws -> [String?] {
        let folder = try TemporaryFolder()
        let trap = try HTTPTrap { _ in "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" }
        var operations: [String] = []
        for (number, question) in questions.enumerated() {
            try folder.write(question.netrc, to: "\(number)")
            operations.append(
                """
                url = "http://\(question.user.map { $0 + "@" } ?? "")\(question.host)/\(number)"
                netrc-file = "\(folder("\(number)"))"
                netrc-optional
                connect-to = "::127.0.0.1:\(trap.port)"
                silent
                output = "/dev/null"
                """)
        }
        let input = Data(operations.joined(separator: "\nnext\n").utf8)
        // No proxy of whoever runs this.
        let environment = GitRepository.environment()
        try Command.run(["curl", "-q", "-K", "-"], environment: environment, input: input, mayFail: true)
        var answers = [String?](repeating: nil, count: questions.count)
        for request in trap.requests {
            let lines = request.components(separatedBy: "\r\n")
            guard let number = Int(lines[0].split(separator: " ")[1].dropFirst()) else { throw TestFailure(lines[0]) }
            let field = lines.first { $0.hasPrefix("Authorization: Basic ") }?.dropFirst("Authorization: Basic ".count)
            answers[number] = field.flatMap { Data(base64Encoded: String($0)) }.map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        return answers
    }
}

/// Files of few hosts and users, with everything around them that a file may have.
private struct RandomNetrc {
    var numbers: SeededNumbers
    /// The user of each password, where it has one, by its number.
    var users: [String?] = []

    private var isPlain = false

    init(numbers: SeededNumbers) { self.numbers = numbers }

    private static let letters = [
        "\"", "\"", "\\", "\n", "\n\n", "\r", "\t", " ", " #", "#", "machine", " login ", "a", "\u{301}", "é", "\u{0b}",
    ]

    private mutating func keyword(_ word: String) -> String {
        numbers.isOne(in: 6) ? word.uppercased() : numbers.isOne(in: 12) ? "\"\(word)\"" : word
    }

    private mutating func space() -> String {
        // More white space at the end of a line is an empty word, which then is somebody's name.
        if isPlain { return numbers.pick([" ", " ", "  ", "\t", "\n", "\n    ", " # a comment machine x\n"]) }
        return numbers.pick([
            " ", " ", " ", "\n", "\n    ", "\n\t", "\t", "  ", "\r\n", " \n", "\n\n", " # a comment machine x\n",
        ])
    }

    private mutating func value(_ text: String) -> String {
        guard numbers.isOne(in: 3) else { return text }
        return "\""
            + text.replacing("p", with: numbers.pick(["p", "p", "\\p", "p \\\"", "\\n", "\\t", "\\r", "p\\\\", "p#"]))
            + "\""
    }

    private mutating func password(of user: String?) -> String {
        users.append(user)
        return value("p\(users.count - 1)")
    }

    private mutating func entry(_ host: String) -> String {
        var words = [keyword("machine") + space() + value(host)]
        if host == "default" {
            // curl mixes what it finds for everybody with what it found for the host just before.
            words = (isPlain ? ["machine nobody"] : []) + [keyword("default")]
        }
        let user = numbers.isOne(in: 6) ? nil : numbers.pick(["bob", "bob", "eve", "me@example.org", "é"])
        var fields: [String] = []
        if let user { fields.append(keyword("login") + space() + value(user)) }
        if !numbers.isOne(in: 6) { fields.append(keyword("password") + space() + password(of: user)) }
        if numbers.isOne(in: 8) { fields.append(isPlain ? "account x" : numbers.pick(["port 80", "account login"])) }
        words += fields.shuffled(using: &numbers)
        if numbers.isOne(in: 8) {
            let name = numbers.pick(["init", "init ", "\"init\"x"])
            let end = numbers.pick(["\n", "\n", "\r\n", "", " \n"])
            words.append(keyword("macdef") + " " + name + "\nmachine git.example.org\nlogin x\n" + end)
        }
        return words.reduce("") { $0 + ($0.isEmpty ? "" : space()) + $1 }
    }

    mutating func question() -> CurlNetrc.Question {
        users = []
        // Whose password it is is only known of what is read as it was meant.
        let user = numbers.isOne(in: 3) ? numbers.pick(["bob", "eve"]) : nil
        isPlain = user != nil
        let hosts = ["git.example.org", "git.example.org", "GIT.example.org", "example.org", "::1", "default", "other"]
        var text = ""
        for _ in 0..<Int.random(in: 1...4, using: &numbers) {
            text += entry(numbers.pick(hosts)) + space()
        }
        let host = numbers.pick(["git.example.org", "git.example.org", "git.example.org", "Example.org", "[::1]"])
        if user == nil, numbers.isOne(in: 2) { text = numbers.mutate(text, with: Self.letters) }
        return .init(netrc: text, host: host, user: user)
    }
}

@Suite struct `Lists of logins, beside git's and curl's` {
    @Test func `git's credential store gives the same login`() throws {
        var random = RandomStore(numbers: SeededNumbers(seed: SeededNumbers.seed))
        let questions = (0..<Differential.count(300)).map { _ in random.question() }
        var found = 0
        for (question, expected) in zip(questions, try GitCredentialStore.ask(questions.map(\.git))) {
            let pair = CredentialStore(question.store).credential(for: question.address, user: question.git.user)
            #expect(pair.map { "\($0.user)\n\($0.password)" } == expected, "\(question)")
            if expected != nil { found += 1 }
        }
        #expect(found > questions.count / 5, "\(found)")
    }
    @Test(
        arguments: [
            ("https://u:p@host", "u:p"), ("HTTPS://u:p@host", nil), ("Https://u:p@host\nhttps://v:q@host", "v:q"),
            ("http://u:p@host", nil), ("https://:p@host", ":p"), ("https://u:@host", "u:"), ("https://u@host", nil),
            ("https://u:p@host:443", "u:p"), ("https://u:p@HOST/", "u:p"), ("https://u:p@host:8443", nil),
            ("https://u:p@host\r\n", "u:p"), ("https://u%40x:p%3A%2F%zz@host", "u@x:p:/%zz"),
            // git decodes nothing before a colon, and splits at the first of each.
            ("https://u:a%41:%42@host", "u:a%41:B"), ("https://me@x:p@host", nil), ("https://u:p/w@host", nil),
            ("https://u:p%0aw@host", nil), ("https://u:%00@host", "u:%00"), ("https://u:p@h%6Fst", "u:p"),
            ("https://u:p@host//", "u:p"), ("https://u:p@host/group/", "u:p"), ("https://u:p@host/gr%6Fup/site", "u:p"),
            ("https://u:p@host/grou", nil), ("https://u:p@host/group/site2", nil), ("https://u:p@host?x", nil),
            ("https://u:p@host\u{301}\nhttps://v:\u{301}q@host", "v:\u{301}q"), (" https://u:p@host", nil),
        ] as [(String, String?)])
    func `a list of logins is read as git reads it`(store: String, expected: String?) {
        let pair = CredentialStore(store).credential(for: "https://host/group/site", user: nil)
        #expect(pair.map { "\($0.user):\($0.password)" } == expected)
    }

    private static let netrcs: [(String, user: String?, expected: String?)] = [
        ("machine host login \"bo b\" password \"a\\\"b\\\\c\\t\\d\"", nil, "bo b:a\"b\\c\td"),
        ("MACHINE Host LOGIN u Password p", nil, "u:p"), ("machine host login u password p # login v", nil, "u:p"),
        ("macdef init\nmachine host login x password y\n\nmachine host login u password p", nil, "u:p"),
        ("machine x login a password b machine host password p login u", nil, "u:p"),
        ("default login d password q", nil, "d:q"), ("machine host login token", nil, "token:"),
        ("machine host password p", nil, ":p"), ("machine host password p", "eve", "eve:p"),
        ("machine host", nil, nil),
        ("machine host login u password p#1", nil, "u:p#1"), ("machine host login u password \"#1\"", nil, "u:#1"),
        ("machine host login u password \"p", nil, nil),
        ("machine x password \"p\nmachine host login u password p", nil, nil),
        ("machine host login bob password b\nmachine host login eve password e", "eve", "eve:e"),
        ("machine host\r\n  login u\r\n  password p\r\n", nil, "u:p"),
        ("machine host login \n u password p", nil, ":p"),
        ("machine host login u password \u{301}p", nil, "u:\u{301}p"),
        ("machine\u{301} host login u password p", nil, nil),
    ]

    @Test func `a netrc is read as curl reads it`() throws {
        let questions = Self.netrcs.map { CurlNetrc.Question(netrc: $0.0, host: "host", user: $0.user) }
        for ((question, answer), (_, _, expected)) in zip(zip(questions, try CurlNetrc.ask(questions)), Self.netrcs) {
            let pair = Netrc(question.netrc).credential(for: "http://host/x", user: question.user, isDefault: true)
            #expect(pair.map { "\($0.user):\($0.password)" } == expected, "\(question)")
            #expect(answer == expected, "\(question)")
        }
    }

    @Test func `a netrc gives nobody another's password, and a password may begin with a number sign`() throws {
        func login(_ netrc: String, user: String? = nil, isDefault: Bool = true) -> String? {
            Netrc(netrc).credential(for: "https://host/x", user: user, isDefault: isDefault).map {
                "\($0.user):\($0.password)"
            }
        }
        #expect(login("machine host login bob password b", user: "eve") == nil)
        #expect(login("machine host password b login bob", user: "eve") == nil)
        #expect(login("machine host login eve default password d login bob", user: "eve") == nil)
        #expect(login("machine host login bob password #b\nmachine x login y password z") == "bob:#b")
        #expect(login("machine host login bob password\n# a comment\n b") == "bob:b")
        #expect(login("machine host login bob default login d password q", isDefault: false) == nil)
        #expect(login("default login d password q machine host login bob password b", isDefault: false) == "bob:b")
    }

    @Test func `curl sends the same login of a netrc`() throws {
        var random = RandomNetrc(numbers: SeededNumbers(seed: SeededNumbers.seed))
        var questions: [(question: CurlNetrc.Question, users: [String?])] = []
        while questions.count < Differential.count(300) {
            let question = random.question()
            // Where a value is to come, we take a `#` for its first letter.
            let isException =
                question.netrc.firstMatch(
                    of: /(machine|login|password)["\t\r\v\f ]+#/.ignoresCase().matchingSemantics(.unicodeScalar)) != nil
            if !isException { questions.append((question, random.users)) }
        }
        var found = 0
        for ((question, users), expected) in zip(questions, try CurlNetrc.ask(questions.map(\.question))) {
            let ours = Netrc(question.netrc).credential(
                for: "http://\(question.host)/x", user: question.user, isDefault: true
            ).map { "\($0.user):\($0.password)" }
            // An empty login is none; neither is the name that the address has.
            var theirs = expected == ":" || expected == question.user.map { $0 + ":" } ? nil : expected
            // It sends one user's password for another.
            let number = theirs.flatMap { Int($0.filter(\.isWholeNumber)) }
            if let user = question.user, let number, let other = users[number], other != user { theirs = nil }
            let bare = ours == question.user.map { $0 + ":" } ? nil : ours
            #expect(bare == theirs, "\(question)")
            if theirs != nil { found += 1 }
        }
        #expect(found > questions.count / 4, "\(found)")
    }
}
