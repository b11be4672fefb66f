import Platform

/// The submodules that a repository names in its `.gitmodules` (gitmodules(5)), read as git reads it, with git's own refusals.
public struct ModuleList: Sendable {
    /// A section of it.
    public struct Module: Sendable, Equatable {
        /// Where its gitlink stands.
        public let path: TreePath
        /// Where its repository is, as it stands there: an address, or a way from the address of this one.
        public let url: String
        /// Why git would not check it out; `nil` where it would.
        public let leftOut: String?
    }

    /// Those that can be followed, in the order of the file.
    public private(set) var modules: [Module] = []
    /// What was not taken and is left out, one sentence each.
    public private(set) var refused: [String] = []

    /// The name of the file, in the root of a commit's tree.
    public static let name = EntryName(".gitmodules")
    /// Bytes of the file: it has a hundred sections at most that count.
    public static let maxSize: Int64 = 1 << 20

    private static let checkingOut = ["checkout", "rebase", "merge"]

    private struct Section {
        var path: [UInt8]?
        var url: [UInt8]?
        var update: [UInt8]?
    }

    /// - Throws: `MalformedConfig` for what ends `git submodule`.
    public init(_ bytes: [UInt8]) throws(MalformedConfig) {
        var sections: [[UInt8]: Section] = [:]
        var names: [[UInt8]] = []
        var reader = ConfigReader(bytes)
        while let variable = try reader.next() {
            guard let name = Self.name(of: variable) else { continue }
            guard Self.isHarmless(name) else {
                refuse("the name \(shown(name))")
                continue
            }
            if sections[name] == nil { names.append(name) }
            try take(variable, &sections[name, default: Section()])
        }
        for name in names {
            guard let section = sections[name], let path = section.path, let url = section.url else { continue }
            guard let address = String(validating: url, as: UTF8.self) else {
                refuse("the url of \(shown(name)), which is not UTF-8")
                continue
            }
            modules.append(
                Module(
                    path: TreePath(bytes: path), url: address,
                    leftOut: section.update.flatMap { update in
                        // A command is what nobody runs here, and git refuses it.
                        Self.checkingOut.contains { $0.utf8.elementsEqual(update) } ? nil : "update = \(shown(update))"
                    }))
        }
    }

    /// What stands between the first dot and the last one: `[submodule "name"]`, or `[submodule.name]` of old.
    private static func name(of variable: ConfigReader.Variable) -> [UInt8]? {
        guard let section = variable.section else { return nil }
        if let subsection = variable.subsection {
            return section.elementsEqual("submodule".utf8) ? subsection : nil
        }
        let prefix = "submodule.".utf8
        return section.starts(with: prefix) ? Array(section.dropFirst(prefix.count)) : nil
    }

    /// git's `check_submodule_name` (CVE-2018-11235).
    private static func isHarmless(_ name: [UInt8]) -> Bool {
        !name.isEmpty
            && !name.split(whereSeparator: { "/\\".utf8.contains($0) }).contains { $0.elementsEqual("..".utf8) }
    }

    private mutating func take(_ variable: ConfigReader.Variable, _ section: inout Section) throws(MalformedConfig) {
        let key = String(decoding: variable.key, as: UTF8.self)
        guard ["path", "url", "update"].contains(key) else { return }
        guard let value = variable.value else {
            throw MalformedConfig(description: "line \(variable.line): \(key) has no value")
        }
        // Of each the first counts.
        switch key {
        case "path": if accepts(value, as: key) { section.path = section.path ?? value }
        case "url":
            guard accepts(value, as: key) else { return }
            guard Self.isHarmlessURL(value) else { return refuse("the url \(shown(value))") }
            section.url = section.url ?? value
        default:
            section.update = section.update ?? value
        }
    }

    /// What begins with a hyphen is an option to a program that gets it (CVE-2018-17456), and what has a control character is two
    /// things to two readers (CVE-2025-48384).
    private mutating func accepts(_ value: [UInt8], as key: String) -> Bool {
        guard value.first == UInt8(ascii: "-") || value.contains(where: \.isControl) else { return true }
        refuse("the \(key) \(shown(value))")
        return false
    }

    /// git's `check_submodule_url` (CVE-2020-5260, CVE-2020-11008).
    private static func isHarmlessURL(_ url: [UInt8]) -> Bool {
        guard !url[...].percentDecoded.contains(where: \.isControl) else { return false }
        var rest = url[...]
        var goesUp = false
        while true {
            if rest.starts(with: "../".utf8) {
                goesUp = true
                rest = rest.dropFirst(3)
            } else if rest.starts(with: "./".utf8) {
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        return !goesUp || !(rest.first == UInt8(ascii: ":") || rest.first == UInt8(ascii: "/"))
    }

    private mutating func refuse(_ what: String) {
        let sentence = "\(what) is refused, as git refuses it"
        if !refused.contains(sentence) { refused.append(sentence) }
    }

    private func shown(_ bytes: [UInt8]) -> String {
        "\"\(String(decoding: bytes, as: UTF8.self).printable(limit: 80))\""
    }
}
