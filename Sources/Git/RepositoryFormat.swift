import CLibgit2
import Glibc
import Platform

extension GitError {
    init(_ unsupported: UnsupportedExtension) {
        self.init(
            call: "git_repository_open_ext", code: -1,
            message: "its format has the extension \(unsupported.name)=\(unsupported.value)")
        self.unsupported = unsupported
    }
}

/// What git's newer formats are to a reader of objects and references.
enum RepositoryFormat {
    /// They change how work trees are configured, how objects are fetched or what may be deleted, and nothing of how objects and
    /// references are kept.
    private static let harmless = ["noop", "worktreeconfig", "partialclone", "preciousobjects", "relativeworktrees"]
    /// Its value decides.
    private static let objectFormat = "objectformat"

    /// Tells libgit2, which by itself refuses all of them.
    static func announce() -> Int32 {
        var names = (harmless + [objectFormat]).map { UnsafePointer(strdup($0)) }
        defer { for name in names { free(UnsafeMutablePointer(mutating: name)) } }
        return sidekick_set_extensions(&names, names.count)
    }

    /// Finds an extension in the configuration of a repository that libgit2 has opened.
    static func unsupported(in repository: OpaquePointer) -> UnsupportedExtension? {
        var configuration: OpaquePointer?
        guard git_repository_config(&configuration, repository) == 0 else { return nil }
        defer { git_config_free(configuration) }
        guard let value = text("extensions." + objectFormat, in: configuration),
            !value.utf8.equalsIgnoringCase(Array("sha1".utf8))
        else { return nil }
        return UnsupportedExtension(name: objectFormat, value: value)
    }

    /// Finds the extension for which libgit2 refused to open a repository.
    ///
    /// - Parameter path: of the repository, or of its work tree.
    static func unsupported(by error: GitError, at path: String) -> UnsupportedExtension? {
        guard let start = error.message.utf8.firstRange(of: "unsupported extension name extensions.".utf8) else {
            return nil
        }
        let name = String(decoding: error.message.utf8[start.upperBound...], as: UTF8.self)
        for file in [path + "/config", path + "/.git/config"] {
            var configuration: OpaquePointer?
            guard git_config_open_ondisk(&configuration, file) == 0 else { continue }
            defer { git_config_free(configuration) }
            if let value = text("extensions." + name, in: configuration) {
                return UnsupportedExtension(name: name, value: value)
            }
        }
        return UnsupportedExtension(name: name, value: "")
    }

    /// What a store of ours says that was filled from a partial clone.
    static let partialMark = "sidekick.partial"

    /// Whether a line of a configuration says that this is a partial clone: git's before 2.28 and since, and ours.
    static func saysPartial(_ entry: git_config_entry) -> Bool {
        let name = String(cString: entry.name).utf8
        if name.elementsEqual("extensions.partialclone".utf8) { return true }
        let isPromisor = name.starts(with: "remote.".utf8) && name.reversed().starts(with: ".promisor".utf8.reversed())
        guard isPromisor || name.elementsEqual(partialMark.utf8) else { return false }
        // A name without a value is true.
        guard let value = entry.value else { return true }
        var isTrue: Int32 = 0
        return git_config_parse_bool(&isTrue, value) == 0 && isTrue == 1
    }

    private static func text(_ name: String, in configuration: OpaquePointer?) -> String? {
        var buffer = git_buf()
        guard git_config_get_string_buf(&buffer, configuration, name) == 0 else { return nil }
        defer { git_buf_dispose(&buffer) }
        return buffer.ptr.map { String(cString: $0) }
    }
}

extension Repository {
    /// Whether it may lack blobs of the commits that it has.
    var isPartial: Bool {
        var configuration: OpaquePointer?
        guard git_repository_config(&configuration, pointer) == 0 else { return false }
        defer { git_config_free(configuration) }
        // Not by an expression: libgit2 1.5 never gives back what a name costs that it does not match.
        return git_config_foreach(
            configuration, { entry, _ in entry.map { RepositoryFormat.saysPartial($0.pointee) } == true ? 1 : 0 }, nil)
            == 1
    }

    /// Says so from now on: what is copied out of it lacks them, too.
    borrowing func markPartial() throws(GitError) {
        guard !isPartial else { return }
        var configuration: OpaquePointer?
        let pointer = pointer
        try check("git_repository_config") { git_repository_config(&configuration, pointer) }
        defer { git_config_free(configuration) }
        let name = RepositoryFormat.partialMark
        try check("git_config_set_bool") { git_config_set_bool(configuration, name, 1) }
    }
}
