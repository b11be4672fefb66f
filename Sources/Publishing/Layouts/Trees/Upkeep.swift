import Content
import Git
import Platform

/// What keeps the pool of trees in shape between passes: few trees, and one at hand for the next update.
struct Upkeep {
    let trees: TreeLayout
    /// Seconds since 1970.
    let now: Double
    let isStopped: @Sendable () -> Bool
    let lostAndFound: LostAndFound

    /// Spares beside the live tree and `previous`. A second one is of use to updates that come faster than
    /// `SIDEKICK_GRACE`; each costs a folder of links, which in a site of small files is half of what a tree weighs, and the
    /// disk is to stay within three times one tree.
    static let maxSpares = 2
    /// After so many seconds without an update one spare is enough.
    static let idle: Double = 600

    private var pool: TreePool { trees.pool }

    /// - Returns: the seconds until there is more to do; `nil` for never.
    func run(makingSpares: Bool) throws -> Double? {
        let next = try clean(makingSpares: makingSpares)
        guard makingSpares, trees.kind != .folder, !isStopped() else { return next }
        do {
            let ready = try trees.bringSpareForward(isStopped: isStopped, keeping: lostAndFound)
            return [next, ready].compactMap { $0 }.min()
        } catch is CancellationError {
            return next
        }
    }

    private func clean(makingSpares: Bool) throws -> Double? {
        let next = try cleanPool(makingSpares: makingSpares)
        // Of no account to what is served: a lost+found that cannot be read stops nothing.
        let expiry = try? lostAndFound.expire(after: trees.options.keepLost.inSeconds, now: now, isStopped: isStopped)
        return [next, expiry].compactMap { $0 }.min()
    }

    private func cleanPool(makingSpares: Bool) throws -> Double? {
        try trees.settle(keeping: lostAndFound)
        try expirePrevious()
        let live = try trees.liveName()
        // What cannot be read now may be read later: nothing is removed on its account.
        guard try live.map({ try pool.record(of: $0) != nil }) ?? true else { return nil }
        let next = try removeSurplus(live: live)
        if trees.kind == .folder {
            if try !pool.names().isEmpty { _ = try pool.trees.removeTree(SpareCopy.temporary, isStopped: isStopped) }
        } else if makingSpares {
            try makeSpares()
        }
        try pool.sweepSegments()
        return next
    }

    private func expirePrevious() throws {
        guard let previous = try pool.previous() else { return }
        if trees.kind == .folder || now - previous.since >= trees.options.keepPrevious.inSeconds {
            try pool.removePrevious()
        }
    }

    /// Trees that no update can use go after their grace, those beyond what is needed when it has been quiet.
    private func removeSurplus(live: String?) throws -> Double? {
        let previous = try pool.previous()
        var wakes: [Double] = []
        if let previous { wakes.append(previous.since + trees.options.keepPrevious.inSeconds - now) }
        if let wait = try pool.removeLinks(olderThan: trees.options.grace.inSeconds, now: now) { wakes.append(wait) }
        for name in try pool.names() where name.hasPrefix(".old-") {
            retireOrLeave(String(name.dropFirst(5)))
        }
        let all = try pool.spares(besides: live).filter { $0.name != previous?.tree }
        let (usable, useless) = all.partitioned { spare in
            trees.kind != .folder && spare.record.recipe.makesFiles(like: trees.options.recipe)
        }
        func retire(_ tree: TreePool.Tree, after seconds: Double) throws {
            let age = now - tree.ended
            if age >= seconds || age < 0 {
                retireOrLeave(tree.name)
            } else {
                wakes.append(seconds - age)
            }
        }
        for tree in useless { try retire(tree, after: trees.options.grace.inSeconds) }
        // The youngest stay: they need the least to be brought forward.
        let byAge = usable.sorted { $0.ended > $1.ended }
        for tree in byAge.dropFirst(Self.maxSpares) { try retire(tree, after: trees.options.grace.inSeconds) }
        // When it has been quiet, what was live before stays, and one to bring forward.
        let quiet = trees.options.keepPrevious > .zero && previous == nil ? 2 : 1
        for tree in byAge.prefix(Self.maxSpares).dropFirst(quiet) { try retire(tree, after: Self.idle) }
        try removeUnknown(live: live)
        return wakes.min().map { max($0, 0) }
    }

    /// One tree that cannot be removed must not keep the others.
    private func retireOrLeave(_ tree: String) {
        do {
            _ = try pool.retire(tree, keeping: lostAndFound, isStopped: isStopped)
        } catch {
            lostAndFound.cannotRemove("trees/" + tree, error)
        }
    }

    /// Folders in the pool without a record: nothing says what is ours in them.
    private func removeUnknown(live: String?) throws {
        guard try !pool.names().isEmpty else { return }
        let folder = try pool.trees
        let previous = try pool.previous()?.tree
        for name in try pool.names() where name != live && name != previous && !name.hasPrefix(".") {
            guard !isStopped(), try pool.record(of: name) == nil else { continue }
            try folder.retire(EntryName(name), record: nil, keeping: lostAndFound, isStopped: isStopped)
        }
    }

    private func makeSpares() throws {
        guard let visible = try trees.visible(), let live = visible.name else { return }
        let previous = try pool.previous()?.tree
        let all = try pool.spares(besides: live)
        let spares = all.filter { $0.name != previous }
        guard spares.isEmpty || (spares.count < Self.maxSpares && isPressed(all, visible.record)), !isStopped() else {
            return
        }
        _ = try SpareCopy(pool: pool, visible: visible, isStopped: isStopped).run()
    }
}

extension Upkeep {
    /// Whether updates come so fast that the oldest tree would be used within the grace.
    private func isPressed(_ spares: [TreePool.Tree], _ live: TreeRecord) -> Bool {
        // One that was never live says nothing of how fast updates come.
        let times = spares.lazy.filter { $0.ended > 0 }.map(\.record.published)
        guard let last = times.max(), now - Double(live.published) < trees.options.grace.inSeconds else {
            return false
        }
        return Double(live.published - last) * Double(spares.count) < trees.options.grace.inSeconds
    }
}
