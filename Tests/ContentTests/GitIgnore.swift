import Foundation
import Git
import TestSupport
import Testing

/// Lists of patterns and paths, asked of git itself: each list is the `.gitignore` of a folder of its own.
struct GitIgnore {
    let repository: GitRepository
    let lists: [[String]]

    init(_ lists: [[String]], folders: [TreePath]) throws {
        repository = try GitRepository()
        self.lists = lists
        for (number, list) in lists.enumerated() {
            try repository.folder.write(list.joined(separator: "\n") + "\n", to: "\(number)/.gitignore")
            // Only what stands there as a folder is one for git.
            for folder in folders.sorted() {
                let made = mkdir(repository.path + "/\(number)/", folder)
                #expect(made == 0, "\(folder)")
            }
        }
    }

    /// For each list, the paths that git ignores.
    func ignored(_ paths: [TreePath]) throws -> [Set<TreePath>] {
        var input = Data()
        for number in lists.indices {
            for path in paths { input += Data("\(number)/".utf8) + path.bytes + [0] }
        }
        let output = try Command.run(
            ["git", "-c", "core.ignoreCase=false", "check-ignore", "--no-index", "-v", "-n", "-z", "--stdin"],
            in: repository.path, environment: GitRepository.environment(), input: input
        ).output
        let fields = output.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { Array($0) }
        var ignored = lists.map { _ in Set<TreePath>() }
        #expect(fields.count == 4 * paths.count * lists.count)
        for row in 0..<(fields.count / 4) where !fields[row * 4 + 2].isEmpty && fields[row * 4 + 2].first != 0x21 {
            ignored[row / paths.count].insert(paths[row % paths.count])
        }
        return ignored
    }

    private func mkdir(_ parent: String, _ folder: TreePath) -> Int32 {
        let name = (Array(parent.utf8) + folder.bytes + [0]).map { CChar(bitPattern: $0) }
        return name.withUnsafeBufferPointer { Glibc.mkdir($0.baseAddress!, 0o755) }
    }
}
