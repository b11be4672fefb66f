import TestSupport

/// What a power cut may take: every write that no sync of its file came after, and every change of a name that no sync of its
/// folder came after, by the strictest file system that POSIX allows.
struct PowerCut {
    /// Bytes, by their file.
    private var data: [String: Int] = [:]
    /// New, changed and removed names, by their path.
    private var names: [String: Int] = [:]
    private(set) var targets: [String: String] = [:]
    /// Everything that was made and is there.
    private(set) var standing: Set<String> = []
    private var folders: Set<String> = []

    static func parent(_ path: String) -> String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }

    /// What would not be there, or not be right: of a path, what is below it, and the way to it.
    func losses(of path: String) -> [String] {
        var lost = data.keys.filter { $0 == path || $0.hasPrefix(path + "/") }.map { "the bytes of \($0)" }
        lost += names.keys.filter { $0 == path || $0.hasPrefix(path + "/") || path.hasPrefix($0 + "/") }
            .map { "the name \($0)" }
        // Enough to see which.
        return lost.count > 4 ? lost.sorted().prefix(4) + ["and \(lost.count - 4) more"] : lost.sorted()
    }

    mutating func follow(_ call: SystemCall) {
        let (line, paths) = (call.lines.upperBound, call.paths)
        guard let path = paths.first else { return }
        switch call.name {
        case "open":
            guard call.text.contains("O_CREAT") else { return }
            if standing.insert(path).inserted { names[path] = line }
            if call.text.contains("O_TRUNC") { data[path] = line }
        case "write": if standing.contains(path) { data[path] = line }
        case "mkdir":
            make(path, line)
            folders.insert(path)
        case "symlink":
            make(paths[1], line)
            targets[paths[1]] = path
        case "link":
            make(paths[1], line)
            if let unsynced = data[path] { data[paths[1]] = unsynced }
        case "rename":
            if call.text.contains("RENAME_EXCHANGE") {
                move([path: paths[1], paths[1]: path])
            } else {
                forget(paths[1])
                move([path: paths[1]])
            }
            (names[path], names[paths[1]]) = (line, line)
        case "unlink":
            forget(path)
            names[path] = line
        // A sync covers what ended before it began.
        case "fsync":
            if let at = data[path], at < call.lines.lowerBound { data[path] = nil }
            names = names.filter { Self.parent($0.key) != path || $0.value > call.lines.lowerBound }
        case "syncfs":
            data = data.filter { $0.value > call.lines.lowerBound }
            names = names.filter { $0.value > call.lines.lowerBound }
        default: break
        }
    }

    private mutating func make(_ path: String, _ line: Int) {
        standing.insert(path)
        names[path] = line
    }

    /// What is at a path and below it; a file has nothing below.
    private func tree(_ path: String) -> [String] {
        guard folders.contains(path) else { return [path] }
        return Set(standing).union(names.keys).union(data.keys).filter { $0 == path || $0.hasPrefix(path + "/") }
    }

    private mutating func forget(_ path: String) {
        // A folder that is gone needs no sync of what was in it.
        for path in tree(path) { _ = take(path) }
    }

    private mutating func move(_ moves: [String: String]) {
        var moved: [(String, Entry)] = []
        for (old, new) in moves {
            for path in tree(old) { moved.append((new + path.dropFirst(old.count), take(path))) }
        }
        for (path, entry) in moved {
            data[path] = entry.data
            names[path] = entry.name
            targets[path] = entry.target
            if entry.stands { standing.insert(path) }
            if entry.isFolder { folders.insert(path) }
        }
    }

    private typealias Entry = (data: Int?, name: Int?, target: String?, stands: Bool, isFolder: Bool)

    private mutating func take(_ path: String) -> Entry {
        (
            data.removeValue(forKey: path), names.removeValue(forKey: path), targets.removeValue(forKey: path),
            standing.remove(path) != nil, folders.remove(path) != nil
        )
    }
}
