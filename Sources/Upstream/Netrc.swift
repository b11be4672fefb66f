import Platform

/// Logins by host as ftp(1) and curl(1) read them: `machine HOST login USER password PASSWORD`, and `default` at the end.
///
/// A file means what it means to curl 7.84 and later, which took up quotes, but for three things: a `#` where a value is to
/// come begins that value and no comment; the password of one user is never sent for another; and a name and a password
/// that are both empty are no login.
struct Netrc {
    private let lines: [ArraySlice<UInt8>]

    init(_ text: String) {
        let lines = Array(text.utf8).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        self.lines = lines.last?.isEmpty == true ? lines.dropLast() : lines
    }

    /// - Parameter isDefault: whether the login for all other hosts will do.
    func credential(for address: String, user: String?, isDefault: Bool) -> CredentialSource.Pair? {
        guard var host = HTTPOrigin(address).map({ Array($0.host.utf8) }) else { return nil }
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") { host = Array(host.dropFirst().dropLast()) }
        var search = Search(host: host, user: user.map { Array($0.utf8) }, takesDefault: isDefault)
        for text in lines {
            guard search.enters(text) else { continue }
            var line = Line(text)
            do throws(Line.Broken) {
                while !search.isDone, let word = try line.next(expectingValue: search.expectsValue) {
                    search.take(word)
                }
            } catch {
                return nil
            }
        }
        return search.login
    }

    /// Its words, one after the other.
    private struct Line {
        /// A quote that is not closed: nobody can tell where the next word begins.
        struct Broken: Error {}

        private var rest: ArraySlice<UInt8>
        private var isAtStart = true

        init(_ text: ArraySlice<UInt8>) { rest = text + [UInt8(ascii: "\n")] }

        /// A word ends with one white space, so that more of it at the line's end are an empty word, as they are to curl.
        mutating func next(expectingValue: Bool) throws(Broken) -> [UInt8]? {
            rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard let first = rest.first, first != UInt8(ascii: "#") || (expectingValue && !isAtStart) else {
                return nil
            }
            isAtStart = false
            guard first == UInt8(ascii: "\"") else {
                let word = rest.prefix { $0 != UInt8(ascii: " ") && !(9...13).contains($0) }
                rest = rest.dropFirst(word.count + 1)
                return Array(word)
            }
            rest.removeFirst()
            var word: [UInt8] = []
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\"") {
                    rest = rest.dropFirst()
                    return word
                }
                word.append(byte == UInt8(ascii: "\\") ? Self.escaped(rest.popFirst() ?? byte) : byte)
            }
            throw Broken()
        }

        private static func escaped(_ byte: UInt8) -> UInt8 {
            switch byte {
            case UInt8(ascii: "n"): UInt8(ascii: "\n")
            case UInt8(ascii: "r"): UInt8(ascii: "\r")
            case UInt8(ascii: "t"): UInt8(ascii: "\t")
            default: byte
            }
        }
    }

    /// What has been found for one host.
    private struct Search {
        private enum Place: Equatable { case elsewhere, machine, here, macro }
        private enum Field { case login, password }

        let host: [UInt8]
        /// Nobody else will do.
        let user: [UInt8]?
        let takesDefault: Bool

        private var place = Place.elsewhere
        /// Which value comes next.
        private var field: Field?
        private var hasMatched = false
        private var name: [UInt8]?
        private var password: [UInt8]?
        private var (hasLogin, hasPassword, isUser) = (false, false, false)

        init(host: [UInt8], user: [UInt8]?, takesDefault: Bool) {
            (self.host, self.user, self.takesDefault) = (host, user, takesDefault)
        }

        /// Whether a line is read. A macro goes on up to an empty one.
        mutating func enters(_ line: ArraySlice<UInt8>) -> Bool {
            guard place == .macro else { return true }
            guard line.isEmpty || line.first == UInt8(ascii: "\r") else { return false }
            place = .elsewhere
            return true
        }

        var expectsValue: Bool { field != nil || place == .machine }

        /// Whether nothing that follows counts.
        var isDone: Bool { hasLogin && hasPassword && isUser }

        /// What is sent.
        var login: CredentialSource.Pair? {
            // A password that stands by no login's side is anybody's.
            guard hasMatched, user == nil || isUser || !hasLogin else { return nil }
            guard let secret = password ?? (isUser ? [] : nil) else { return nil }
            let name = user ?? name ?? []
            return name.isEmpty && secret.isEmpty ? nil : (name.asText, secret.asText)
        }

        mutating func take(_ word: [UInt8]) {
            let keyword = word.lowercasedASCII.asText
            switch place {
            case .macro: if word.isEmpty { place = .elsewhere }
            case .machine:
                place = word.lowercasedASCII == host ? .here : .elsewhere
                hasMatched = hasMatched || place == .here
            case .elsewhere: takeElsewhere(keyword)
            case .here:
                switch field {
                case .login?: takeLogin(word)
                case .password?: (password, hasPassword, field) = (word, true, nil)
                case nil: takeHere(keyword)
                }
            }
        }

        /// Everything may be a keyword there; only `#` is read otherwise where a value is to come.
        private mutating func takeElsewhere(_ keyword: String) {
            let isValue = field != nil
            field = nil
            switch keyword {
            case "macdef": place = .macro
            case "machine": (place, isUser) = (.machine, false)
            case "default" where takesDefault: (place, hasMatched) = (.here, true)
            case "login", "password": field = isValue ? nil : .login
            default: return
            }
        }

        private mutating func takeHere(_ keyword: String) {
            switch keyword {
            case "login": field = .login
            case "password": field = .password
            case "machine", "default":
                (name, password) = (nil, nil)
                if keyword == "default", takesDefault {
                    // curl goes on with what it had, and could take one user's password for another's.
                    if user != nil { (hasLogin, hasPassword, isUser) = (false, false, false) }
                    return
                }
                (hasLogin, hasPassword) = (false, false)
                place = keyword == "machine" ? .machine : .elsewhere
            default: return
            }
        }

        private mutating func takeLogin(_ word: [UInt8]) {
            if let user { isUser = user == word } else { (isUser, name) = (true, word) }
            (hasLogin, field) = (true, nil)
        }
    }
}
