/// Logins by host, a line each (git-credential-store(1), STORAGE FORMAT): `https://user:password@host`, percent-encoded.
struct CredentialStore {
    private let urls: [RemoteURL]

    init(_ text: String) {
        urls = text.split(whereSeparator: \.isNewline).compactMap { line in
            // The store has no path where it is for all of a host.
            let line = String(line)
            let authority = line.firstRange(of: "://").map { line[$0.upperBound...] } ?? ""
            return try? RemoteURL(authority.contains("/") ? line + (line.hasSuffix("/") ? "." : "") : line + "/.")
        }
    }

    /// The first that fits; one with a path is only for what is below it.
    func credential(for address: String, user: String?) -> CredentialSource.Pair? {
        guard let origin = HTTPOrigin(address) else { return nil }
        for url in urls {
            guard HTTPOrigin(url.address) == origin, let name = url.user, let password = url.password,
                user == nil || user == name
            else { continue }
            let path = url.address.hasSuffix("/.") ? String(url.address.dropLast(2)) : url.address
            guard url.address.hasSuffix("/.") || address == path || address.hasPrefix(path + "/") else { continue }
            return (name, password.reveal())
        }
        return nil
    }
}

/// Logins by host as ftp(1) and curl(1) read them: `machine HOST login USER password PASSWORD`, and `default` at the end.
struct Netrc {
    private struct Entry {
        var machine: String?
        var login: String?
        var password: String?
    }

    private var entries: [Entry] = []

    init(_ text: String) {
        var words: [Substring] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.split { $0 == " " || $0 == "\t" }
            if line.first?.hasPrefix("#") != true { words += line }
        }
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "machine": entries.append(Entry(machine: rest.popFirst()?.lowercased()))
            case "default": entries.append(Entry())
            case "login": set(\.login, rest.popFirst())
            case "password": set(\.password, rest.popFirst())
            case "account", "macdef": _ = rest.popFirst()
            default: continue
            }
        }
    }

    private mutating func set(_ field: WritableKeyPath<Entry, String?>, _ word: Substring?) {
        if !entries.isEmpty { entries[entries.count - 1][keyPath: field] = word.map { String($0) } }
    }

    /// - Parameter isDefault: whether the login for all other hosts will do.
    func credential(for address: String, user: String?, isDefault: Bool) -> CredentialSource.Pair? {
        guard var host = HTTPOrigin(address)?.host else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        for entry in entries where entry.machine == host || (isDefault && entry.machine == nil) {
            guard let login = entry.login, let password = entry.password, user == nil || user == login else { continue }
            return (login, password)
        }
        return nil
    }
}
