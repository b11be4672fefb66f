import FoundationEssentials
import Git
import Platform

enum CredentialSource { typealias Pair = (user: String, password: String) }

/// Feeds the readers of logins and of answers of a server of Git LFS. Each must end in values or nothing.
package func fuzzLogins(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    for address in ["https://example.org/site.git", "http://[::1]:8080/a%2fb/c"] {
        for user in [nil, "user"] {
            _ = Netrc(text).credential(for: address, user: user, isDefault: true)
            _ = CredentialStore(text).credential(for: address, user: user)
        }
    }
    guard let answer = try? JSONDecoder().decode(LFSBatch.Answer.self, from: Data(input)) else { return }
    for object in answer.objects { _ = LFSBatch.isOver(object.actions?.download?.end) }
}
