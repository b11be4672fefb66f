import Foundation
import TestSupport

/// A site in two hundred commits and one, of which each names in every page which commit it is from.
struct ChangingSite {
    /// Commits that change this many files: one in forty, one in twenty, and the others.
    static let (large, middle, small) = (1_000, 100, [1, 1, 2, 3, 5, 8, 20])

    let source: GitRepository
    let commits: [String]
    /// Paths that every commit has, with the commits that changed their bytes.
    private(set) var versions: [String: [Int]] = [:]
    /// Paths that every commit has with the same bytes.
    let untouched = (0..<6).map { "same/page\($0).html" } + ["same/style.css"]

    static let pages = ["commit.txt", "big.html", "style.css"] + (0..<24).map { "pages/\($0 % 4)/page\($0).html" }
    static let bulk = (0..<1_000).map { "bulk/\($0 % 25)/file\($0).html" }

    init() throws {
        source = try GitRepository()
        var changes: [[String: String?]] = [[:]]
        for path in Self.pages + Self.bulk + untouched {
            changes[0][path] = Self.text(path, 0)
            versions[path] = [0]
        }
        changes[0].merge(["moving/0.html": "moves", "comes/and/goes.html": "here", "turns": "a file"]) { $1 }
        var rest = Array(Self.pages.dropFirst())
        var (moves, isHere, isFile) = (0, true, true)
        for number in 1...200 {
            var files: [String: String?] = [:]
            let isLarge = number % 40 == 0
            let count = isLarge ? Self.large : number % 20 == 10 ? Self.middle : Self.small[number % Self.small.count]
            // From other pages each time.
            rest = Array(rest[7...] + rest[..<7])
            for path in ["commit.txt"] + (count > 50 ? Self.bulk : rest).prefix(count - 1) {
                files[path] = Self.text(path, number)
                versions[path]!.append(number)
            }
            if number % 7 == 3 {
                files.updateValue(nil, forKey: "moving/\(moves).html")
                files["moving/\(moves + 1).html"] = "moves"
                moves += 1
            }
            if number % 9 == 4, !isLarge {
                files.updateValue(isHere ? nil : "here again at \(number)", forKey: "comes/and/goes.html")
                isHere.toggle()
            }
            if number % 11 == 5, !isLarge {
                files.updateValue(isFile ? nil : "a file", forKey: "turns")
                files.updateValue(isFile ? "a folder" : nil, forKey: "turns/now.html")
                isFile.toggle()
            }
            changes.append(files)
        }
        // Three commits of one second each: the time alone does not tell them apart.
        commits = try source.history(changes) { 1_700_000_000 + $0 / 3 }
        try source.push(commits[0])
    }

    /// What a path says since a commit. Half of the pages keep their size, and one is sent in many pieces.
    static func text(_ path: String, _ number: Int) -> String {
        let name = String(repeating: "0", count: 3 - "\(number)".count) + "\(number)"
        let seed = path.utf8.reduce(0) { $0 &+ Int($1) }
        let length = path == "big.html" ? 20_000 : 50 + seed % 400 + (seed % 2 == 0 ? 0 : number * 3)
        return "\(name) \(path)\n" + String(repeating: "\(name) ", count: length)
    }

    /// Since which commit a path says this, and the first commit that changed it again; `nil` for bytes that no commit has.
    func interval(of body: Data, at path: String) -> Range<Int>? {
        guard let number = Int(String(decoding: body.prefix(3), as: UTF8.self)),
            let position = versions[path]?.firstIndex(of: number), body == Data(Self.text(path, number).utf8)
        else { return nil }
        let next = versions[path]!.dropFirst(position + 1).first ?? .max
        return number..<next
    }
}
