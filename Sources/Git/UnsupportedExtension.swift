/// An extension of a repository's format (gitrepository-layout(5), git-config(1), `extensions`) that this version cannot read.
public struct UnsupportedExtension: Error, Sendable, Equatable {
    /// In lower case, without `extensions.`.
    public let name: String
    /// What it is set to.
    public let value: String
}
