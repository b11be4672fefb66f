import Content
import Git
import Platform

/// In which order a burst does what was staged.
extension FolderStage {
    /// Assets, then pages, then deletions, then the folders of submodules, then compressed files. One that is another one now, or none,
    /// leaves before everything else: a web server gives it out in place of its original, and would give the old one for the new.
    ///
    /// While the burst runs, links of both commits stand side by side, and two that are harmless each in its own commit may
    /// lead outside together. Where that can be, the old ones leave first and the new ones come last: then, and only then, a
    /// link that got another target is absent for a moment.
    func steps(in contents: borrowing Contents) throws -> [Intent.Step] {
        let links = Set(placements.map(\.path).filter { plan.links[$0] != nil })
        let apart = try !links.isEmpty || hadLinks ? !mixesSafely(in: contents) : false
        let late = apart ? links : []
        let oldLinks = apart ? (old?.links ?? [:]).filter { $0.value.isMadeLink && isReplaced($0.key, $0.value) } : [:]
        let (compressed, plain) = placements.partitioned { isCompressed(entries[$0.path] ?? nil) }
        let stale = Set(
            compressed.map(\.path).filter { old?[$0] != nil } + removals.filter { isCompressed(old?[$0]) })
        var files = plain.filter { !late.contains($0.path) }
        // A file that takes the place of a link does so in one rename, as the first of all.
        let overLinks = files.filter { oldLinks[$0.path] != nil }
        files.removeAll { oldLinks[$0.path] != nil }
        var steps = stale.sorted().map { Intent.Step.remove($0) }
        steps += overLinks.map { .place($0.number, $0.path) }
        let left = stale.union(overLinks.map(\.path))
        steps += oldLinks.keys.filter { !left.contains($0) }.sorted().map { .remove($0) }
        steps += (files.filter { !$0.isPage } + files.filter { $0.isPage }).map { .place($0.number, $0.path) }
        steps += removals.filter { oldLinks[$0] == nil && !stale.contains($0) }.map { .remove($0) }
        steps += emptyFolders.map { .makeFolder($0) }
        steps += placements.filter { late.contains($0.path) }.map { .place($0.number, $0.path) }
        return steps + compressed.map { .place($0.number, $0.path) }
    }

    private func isCompressed(_ row: RecordedEntry?) -> Bool { row?.content.isCompressed ?? false }

    private var hadLinks: Bool { old.map { $0.count.links > 0 } ?? false }

    private func isReplaced(_ path: TreePath, _ entry: RecordedEntry) -> Bool {
        guard let now = entries[path] else { return isWhole }
        return now != entry
    }

    /// Links of the old commit whose target can no longer be read count as leading anywhere.
    private func mixesSafely(in contents: borrowing Contents) throws -> Bool {
        // Nothing about links changes: then there is nothing to mix, and no reason to look for them all.
        if !isWhole, plan.links.isEmpty, !entries.keys.contains(where: { old?[$0]?.isMadeLink == true }) { return true }
        var before: [TreePath: [UInt8]] = [:]
        for (path, entry) in old?.links ?? [:] where entry.isMadeLink {
            before[path] =
                try contents.contains(entry.content, size: entry.size)
                ? contents.target(of: entry.content) : [UInt8(ascii: "/")]
        }
        var after: [TreePath: [UInt8]] = [:]
        for (path, link) in plan.links where link.isAllowed {
            after[path] = try contents.target(of: link.content)
        }
        // Without new links in the plan the set of links is the old one.
        if plan.links.isEmpty && !isWhole && !entries.keys.contains(where: { before[$0] != nil }) { after = before }
        return before == after || SymlinkMixture(before: before, after: after).isSafe
    }
}
