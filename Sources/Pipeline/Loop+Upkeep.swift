import Git
import Logging
import Publishing
import Platform

/// What is done beside passes: cleaning up, preparing the next update, compacting the store.
extension Loop {
    func keepUp() async {
        while let time = upkeep.next, !Task.isCancelled {
            guard (try? await Alarm.wait(time)) != nil else { return }
            await tidy(makingSpares: true)
            await compact()
            measure()
        }
    }

    func tidy(makingSpares: Bool) async {
        do {
            let publisher = publisher
            let (next, notices) = try await BackgroundThread.run { isStopped in
                try publisher.tidy(makingSpares: makingSpares, isStopped: isStopped)
            }
            logger.report(notices)
            uncleaned.end()
            Heap.giveBack()
            // What was interrupted is still to be done.
            if !Task.isCancelled { upkeep.done(nextIn: next) }
        } catch {
            uncleaned.tell(SyncError.cause(of: error)) { cause in
                logger.warning("clean-up failed", metadata: ["cause": "\(cause)"])
            }
            upkeep.done(nextIn: .seconds(60))
        }
    }

    /// Packs pile up, one for each fetch. What is kept is what was published last and what the trees on the disk hold.
    func compact() async {
        let (store, depth, publisher) = (publisher.destination.store, settings.depth, publisher)
        let compactionCooldown = compactionCooldown
        do {
            let size: (before: Int, after: Int)? = try await upkeepExecutor.run {
                let kept = try publisher.largestTree()
                guard compactionCooldown.isOver, store.exists, store.needsCompaction(keeping: kept) else { return nil }
                let before = store.size().bytes
                try store.compact(keeping: try publisher.commitsToKeep(), depth: depth, bytes: kept)
                return (before, store.size().bytes)
            }
            guard let size else { return }
            logger.info("store compacted", metadata: ["before": "\(size.before)", "after": "\(size.after)"])
        } catch is CancellationError {
            return
        } catch {
            compactionCooldown.begin()
            logger.warning("compaction failed", metadata: ["cause": "\(SyncError.cause(of: error))"])
        }
    }

    /// A damaged store holds nothing that the remote does not: it is moved aside, and the tree stays up.
    func mend(_ error: SyncError) async {
        guard error.recovery == .rebuildStore else { return }
        await background.stop()
        let store = publisher.destination.store
        do {
            guard let aside = try await executor.run({ try store.setAside() }) else { return }
            logger.warning("store moved aside", metadata: ["path": "\(aside)"])
        } catch {
            logger.error("store cannot be moved aside", metadata: ["cause": "\(error.fileFailure)"])
        }
    }

    /// What the disk holds.
    func measure() {
        let size = publisher.destination.store.size()
        journal.note(LiveStatus.Disk(trees: publisher.treeCount, store: size.bytes, free: publisher.freeBytes))
        journal.metrics.set(Double(size.packs), of: .storePacks)
        journal.metrics.set(Double(publisher.lost?.files ?? 0), of: .lostFiles)
        journal.metrics.set(Double(publisher.lost?.bytes ?? 0), of: .lostBytes)
    }
}
