import Foundation

/// Looks for secrets where none may be: as they are, percent-encoded, and as a server is sent them.
struct SecretHunt {
    private let needles: [Data]

    init(_ secrets: [String], users: [String] = []) {
        var texts = Set(secrets)
        for secret in secrets {
            texts.insert(secret.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? secret)
            texts.insert(secret.addingPercentEncoding(withAllowedCharacters: .urlPasswordAllowed) ?? secret)
            texts.insert(Data(secret.utf8).base64EncodedString())
            for user in users { texts.insert(Data("\(user):\(secret)".utf8).base64EncodedString()) }
        }
        needles = texts.map { Data($0.utf8) }
    }

    func isFound(in data: Data) -> Bool { needles.contains { data.range(of: $0) != nil } }
    func isFound(in text: String) -> Bool { isFound(in: Data(text.utf8)) }

    /// Every file below a folder that has one in it.
    func files(in folder: String) -> [String] {
        (FileManager.default.subpaths(atPath: folder) ?? []).filter { path in
            FileManager.default.contents(atPath: folder + "/" + path).map { isFound(in: $0) } ?? false
        }
    }
}
