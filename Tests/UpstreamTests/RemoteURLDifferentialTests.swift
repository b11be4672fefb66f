import Foundation
import Platform
import TestSupport
import Testing

@testable import Upstream

/// What git makes of an address, as `git fetch-pack --diag-url` tells it: a process each, so these are hundreds.
private struct GitAddress {
    let transport: RemoteURL.Transport
    let user: String?
    let host: String
    let port: String?
    let path: String

    /// Nothing for an address that git refuses.
    static func ask(_ addresses: [String]) throws -> [GitAddress?] {
        let repository = try GitRepository()
        let program = "for address; do git fetch-pack --diag-url \"$address\" 2>/dev/null; printf '\\0'; done"
        var answers: [GitAddress?] = []
        for start in stride(from: 0, to: addresses.count, by: 1_000) {
            let command = ["sh", "-c", program, "sh"] + addresses[start..<min(start + 1_000, addresses.count)]
            let result = try Command.run(
                command, in: repository.path, environment: GitRepository.environment(), mayFail: true)
            answers += result.text.split(separator: "\0", omittingEmptySubsequences: false).dropLast().map { Self($0) }
        }
        return answers
    }

    private init?(_ text: Substring) {
        var fields: [Substring: String] = [:]
        for line in text.unicodeScalars.split(separator: "\n") {
            let field = line.drop { $0 != " " }.dropFirst()
            guard let equal = field.firstIndex(of: "=") else { continue }
            fields[Substring(field[..<equal])] = String(field[field.index(after: equal)...])
        }
        let transports: [String: RemoteURL.Transport] = ["ssh": .ssh, "git": .git, "file": .local]
        guard let transport = fields["protocol"].flatMap({ transports[$0] }), let path = fields["path"] else {
            return nil
        }
        (self.transport, self.path) = (transport, path)
        let name = (fields["userandhost"] ?? fields["hostandport"] ?? "").unicodeScalars
        let at = name.lastIndex(of: "@")
        user = at.map { String(name[..<$0]) }
        var host = at.map { name[name.index(after: $0)...] } ?? name[...]
        var port = fields["port"].flatMap { $0 == "NONE" ? nil : $0 }
        if transport == .git {
            // Taken apart later there.
            let end = host.lastIndex(of: "]") ?? host.startIndex
            if let colon = host[end...].firstIndex(of: ":") {
                port = String(host[host.index(after: colon)...])
                if port == "" { port = nil }
                host = host[..<colon]
            }
            if host.first == "[", host.last == "]" { host = host.dropFirst().dropLast() }
        }
        (self.host, self.port) = (String(host), port)
    }
}

/// Addresses of few names, put together as people write them, and as nobody does.
private struct RandomAddresses {
    var numbers: SeededNumbers

    private static let schemes = [
        "ssh://", "ssh://", "ssh://", "git://", "git://", "file://", "git+ssh://", "ssh+git://", "", "", "", "", "",
        "x://",
        "https:/", "ssh:",
    ]
    private static let logins = ["", "", "", "git@", "git@", "me%40x@", "a@b@", "é@", "u%2ev@", "@", "-u@", "u:22@"]
    private static let hosts = [
        "host", "host", "host", "example.org", "10.0.0.1", "h%6fst", "[::1]", "[::1]", "[host]", "[host:2222]",
        "[git@host]",
        "[git@host:22]", "[fe80::1%25eth0]", "[2001:db8::1]", "", "-h", "[", "[]", "a:b", "ho\u{301}st", "[::1", "1:2",
        "localhost",
    ]
    private static let ports = ["", "", "", "", ":22", ":2222", ":", ":022", ":+22", ":0", ":65535", ":65536", ":x"]
    private static let paths = [
        "x", "/x", "/x", "/x", "/group/x.git", "~u/x", "/~u/x", "/~", "~", "-x", "/-x", "a~b", "", "/", "//x", "/x y",
        "/x%20y",
        "/%7Eu", "/x%zzy%", "/x:y", "/x@y", "x:y@z", "/@[b]/c", "/x?y#z", "\u{301}x", "/\u{301}x", "/%C3%A9", "./x",
        "../x",
    ]
    private static let letters = [
        ":", ":", "/", "/", "@", "[", "]", "~", "-", "%", "%41", "?", "#", " ", "\u{301}", "h", "2", "+", "x",
    ]

    mutating func address() -> String {
        let scheme = numbers.pick(Self.schemes)
        let isShort = scheme.isEmpty
        // The short form has no port, and some addresses are paths.
        if isShort, numbers.isOne(in: 6) { return mutated(numbers.pick(Self.paths)) }
        let port = isShort ? ":" : numbers.pick(Self.ports)
        return mutated(scheme + numbers.pick(Self.logins) + numbers.pick(Self.hosts) + port + numbers.pick(Self.paths))
    }

    private mutating func mutated(_ text: String) -> String {
        numbers.isOne(in: 3) ? numbers.mutate(text, with: Self.letters) : text
    }
}

@Suite struct `Addresses, beside git's` {
    /// What git takes, and then fails with, or reads as nobody can have meant it.
    private static func mayRefuse(_ text: String, _ git: GitAddress) -> Bool {
        let bytes = Array(text.utf8)
        let open = bytes.firstIndex(of: UInt8(ascii: "["))
        if git.transport != .local {
            let host = Array(git.host.utf8)
            // No host, an option, or what another reader may take for something else.
            if host.isEmpty || host.first == UInt8(ascii: "-") || host.contains(where: { "/?#@[]".utf8.contains($0) }) {
                return true
            }
            if host.contains(where: \.isControl) || git.user?.utf8.first == UInt8(ascii: "-") { return true }
            if git.user?.utf8.contains(where: { "?#".utf8.contains($0) }) == true { return true }
            // A password for ssh, where it would be shown.
            if git.user?.contains(":") == true, bytes.firstRange(of: "://".utf8) == nil { return true }
            // An address of IPv6 without its brackets, and what is neither that nor a host and a port.
            let colons = host.count { $0 == UInt8(ascii: ":") }
            if colons == 1 || (colons > 1 && open == nil) { return true }
            // A port that there is none of.
            if let port = git.port, !(1...65_535).contains(Int(port) ?? 0) || !port.utf8.allSatisfy(\.isDigit) {
                return true
            }
        }
        // A path that is no repository's.
        if git.path.isEmpty || git.path == "/" || bytes.firstRange(of: "%00".utf8) != nil { return true }
        // A file of another host: git opens the one of this.
        if bytes.starts(with: "file://".utf8), bytes.dropFirst(7).first != UInt8(ascii: "/") { return true }
        // A bracket that is not closed, and what git leaves out behind one: all that is no port.
        guard let open else { return false }
        guard let close = bytes[open...].firstIndex(of: UInt8(ascii: "]")) else { return true }
        let rest = bytes[(close + 1)...]
        guard bytes.firstRange(of: "://".utf8) != nil else { return rest.first != UInt8(ascii: ":") }
        let port = rest.prefix { $0 != UInt8(ascii: "/") }
        return !port.isEmpty && Array(port) != Array(":".utf8) && Array(port) != Array(":\(git.port ?? "")".utf8)
    }

    /// Where git is mistaken.
    private static func isException(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let start = bytes.firstRange(of: "://".utf8)?.upperBound else {
            // It looks for a bracket behind the host, too: `host:x@[y]:z`.
            let colon = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            return bytes.firstRange(of: "@[".utf8).map { $0.lowerBound > colon } ?? false
        }
        let end = bytes[start...].firstIndex { "/?#".utf8.contains($0) } ?? bytes.count
        let authority = Array(bytes[start..<end].lowercasedASCII)
        // So `ssh://host/@[y]/z`.
        if bytes[end...].firstRange(of: "@[".utf8) != nil { return true }
        if authority.contains(UInt8(ascii: "[")), !authority.contains(UInt8(ascii: "]")) { return true }
        // It decodes before it splits: `%2F` ends the host.
        let host = authority[(authority.lastIndex(of: UInt8(ascii: "@")) ?? 0)...]
        if ["%2f", "%3a", "%5b", "%5d"].contains(where: { authority.firstRange(of: $0.utf8) != nil }) { return true }
        if host.firstRange(of: "%40".utf8) != nil { return true }
        // Behind `user:password@`, it finds no port. Whoever gives a password for ssh is told that ssh takes none.
        let login = authority[..<(authority.lastIndex(of: UInt8(ascii: "@")) ?? 0)]
        return login.contains(UInt8(ascii: ":")) && !authority.contains(UInt8(ascii: "["))
    }

    @Test func `git reads random addresses as we do`() throws {
        var random = RandomAddresses(numbers: SeededNumbers(seed: SeededNumbers.seed))
        var addresses: [String] = []
        while addresses.count < Differential.count(400) {
            let address = random.address()
            // The command takes that for an option.
            if address.utf8.first != UInt8(ascii: "-"), !Self.isException(address) { addresses.append(address) }
        }
        let answers = try GitAddress.ask(addresses)
        try #require(answers.count == addresses.count)
        var both = 0
        for (address, git) in zip(addresses, answers) {
            let ours = try? RemoteURL(address)
            let told: Comment = "\(address): \(ours as Any), \(git as Any)"
            guard let ours else {
                #expect(git.map { Self.mayRefuse(address, $0) } ?? true, told)
                continue
            }
            guard let git else {
                // Of another program of git's.
                #expect(ours.transport == .https, told)
                continue
            }
            both += 1
            Self.compare(address, ours, git)
        }
        #expect(both > addresses.count / 3, "\(both)")
    }

    private static func compare(_ address: String, _ ours: RemoteURL, _ git: GitAddress) {
        let told: Comment = "\(address): \(ours), \(git)"
        #expect(ours.transport == git.transport, told)
        guard git.transport != .local else {
            // Of a path, git knows more than that command: it is taken as it is.
            #expect(ours.address == (address.hasPrefix("file://") ? git.path : address), told)
            return
        }
        let (host, port) = ours.endpoint(defaultPort: 0)
        #expect(host == git.host && port == git.port.flatMap { Int($0) } ?? 0, told)
        #expect(ours.parts.path == git.path, told)
        // What the address says for people leads there as well.
        let again = try? RemoteURL(ours.address)
        #expect(again?.endpoint(defaultPort: 0).host == host && again?.endpoint(defaultPort: 0).port == port, told)
        #expect(again?.parts.path == ours.parts.path, told)
        // To ssh(1), a password is a part of the name, and an empty name is an error; the protocol of git has no users.
        guard git.transport == .ssh else { return }
        let user = ours.password.map { "\(ours.user ?? ""):\($0.reveal())" } ?? ours.user
        #expect(user ?? "" == git.user ?? "", told)
    }
}
