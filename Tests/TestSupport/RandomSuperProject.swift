import Foundation

/// Repositories that have each other as submodules, four deep, and a history that changes everything about that. All are behind one
/// web server.
public final class RandomSuperProject {
    private let repositories: [GitRepository]
    private let bare: TemporaryFolder
    private let server: Nginx
    private let lfs: Giftless?
    /// Of each repository, by the path of a gitlink: whose commit it names, and how its address is written.
    private var modules: [[String: (target: Int, isRelative: Bool)]]
    private var random: SeededNumbers
    private static let paths = ["one", "deep/two", "deep/er/three", "four"]

    /// - Parameter lfs: what has their pictures; `nil` for none.
    public init(seed: UInt64, lfs: Giftless? = nil) async throws {
        random = SeededNumbers(seed: seed)
        self.lfs = lfs
        bare = try TemporaryFolder()
        repositories = try (0..<5).map { _ in try GitRepository() }
        modules = repositories.map { _ in [:] }
        server = try await Nginx(gitRepositoriesIn: bare.path, lfs: lfs)
        for index in repositories.indices.reversed() {
            if lfs != nil { try repositories[index].trackPictures() }
            if index + 1 < repositories.count { modules[index]["one"] = (index + 1, true) }
            try commit(index)
        }
    }

    /// The address of the one that has all others below it.
    public var url: String { "http://127.0.0.1:\(server.port)/r0.git" }

    /// Changes something somewhere, and all that leads to it.
    ///
    /// - Returns: what, for a person.
    public func step() throws -> String {
        let index = Int.random(in: 0..<repositories.count - 1, using: &random)
        let path = Self.paths.randomElement(using: &random)!
        let here = modules[index][path]
        let change: String
        switch Int.random(in: 0..<5, using: &random) {
        case 0 where here != nil:
            modules[index][path] = nil
            try repositories[index].folder.write("instead", to: path + "/plain.txt")
            change = "\(path) of \(index) becomes a folder"
        case 1 where here != nil:
            let other = Self.paths.randomElement(using: &random)!
            modules[index][path] = nil
            modules[index][other] = here
            change = "\(path) of \(index) moves to \(other)"
        case 2 where here != nil:
            modules[index][path]?.isRelative.toggle()
            change = "\(path) of \(index) is named in another way"
        case 3:
            modules[index][path] = (
                Int.random(in: index + 1..<repositories.count, using: &random), Bool.random(using: &random)
            )
            change = "\(path) of \(index) is another one"
        default:
            change = "files of \(index)"
        }
        try commit(index)
        // What leads to it names its new commit, as far as it is followed.
        for above in (0..<index).reversed() where above == 0 || Bool.random(using: &random) { try commit(above) }
        return change
    }

    private func commit(_ index: Int) throws {
        let repository = repositories[index]
        for path in modules[index].keys where repository.folder.has(path) {
            try FileManager.default.removeItem(atPath: repository.folder(path))
        }
        var files: [String: String?] = [:]
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let name = ["a.txt", "b/c.txt", "index.html"].randomElement(using: &random)!
            files[name] = "\(Int.random(in: 0...9, using: &random))"
        }
        if lfs != nil {
            // Some of them the same in more than one repository.
            let bytes = String(repeating: "\(Int.random(in: 0...20, using: &random))", count: 3_000)
            files[["p.png", "b/q.png"].randomElement(using: &random)!] = bytes
        }
        let links = try modules[index].sorted { $0.key < $1.key }.map { path, module in
            let name = "r\(module.target).git"
            return (
                path, module.isRelative ? "../\(name)" : "http://127.0.0.1:\(server.port)/\(name)",
                try repositories[module.target].head
            )
        }
        try repository.commit(modules: links, files)
        if let lfs { try repository.pushObjects(to: lfs.url("r\(index)")) }
        try repository.pushBare(to: bare, as: "r\(index).git")
    }
}
