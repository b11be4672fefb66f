/// Whose signature it is.
public struct Signer: Sendable, Equatable, Codable, CustomStringConvertible {
    /// As whoever trusts the key calls it: the principals of an SSH key, or its comment; the first user id of an OpenPGP key. It may be
    /// empty, and has been made printable.
    public let name: String
    /// `SHA256:` and base64 for an SSH key, as `ssh-keygen -l` shows it; hexadecimal digits for an OpenPGP key.
    public let fingerprint: String

    /// For people.
    public var description: String { name.isEmpty ? fingerprint : "\(name) (\(fingerprint))" }
}

/// Why a signature is not taken.
public enum Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is none.
    case unsigned
    /// It cannot be read.
    case malformed(String)
    /// It is of a kind that is not verified here.
    case unsupported(String)
    /// Nobody trusts the key.
    case unknownKey(String)
    /// The key is trusted, and it did not sign this.
    case bad(String)
    /// The key is not valid any more, or not yet, or too weak; with its fingerprint and what is wrong with it.
    case expired(String, String)
    /// Its owner has taken the key back.
    case revoked(String)
    /// It was made for something else than git, or the key may not sign for git.
    case wrongNamespace(String)
    /// There is no annotated tag.
    case noTag
    /// The tag is not the one that is followed.
    case otherTag(String)

    /// In one sentence, of what strangers wrote made printable.
    public var description: String {
        switch self {
        case .unsigned: "it has no signature"
        case .malformed(let reason): "its signature is not valid: \(reason)"
        case .unsupported(let what): "its signature is not of a kind that is verified: \(what)"
        case .unknownKey(let key): "its signature is by a key that is not trusted: \(key)"
        case .bad(let key): "its signature is bad: \(key) has not signed it as it is"
        case .expired(let key, let why): "its signature is by \(key), and \(why)"
        case .revoked(let key): "its signature is by \(key), which its owner has revoked"
        case .wrongNamespace(let what): "its signature is for something else: \(what)"
        case .noTag: "there is no annotated tag"
        case .otherTag(let name): "the tag object is another: \(name)"
        }
    }
}
