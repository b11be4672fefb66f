"""Many updates, one after the other: what piles up?"""

import dataclasses

from disk import disk_usage


@dataclasses.dataclass
class Soak:
    updates: int
    disk: int
    open_files: tuple
    anonymous: tuple


def soak(daemon, commits):
    """Publishes each commit; looks after the first tenth and at the end, when it is quiet."""
    daemon.site.show(commits[0] - 1)
    daemon.first()
    early = None
    for count, number in enumerate(commits, 1):
        daemon.site.show(number)
        daemon.update(number, settling=count in (len(commits) // 10, len(commits)))
        if count == len(commits) // 10:
            early = daemon.open_files(), daemon.idle()["RssAnon"]
    late = daemon.open_files(), daemon.idle()["RssAnon"]
    daemon.end()
    return Soak(len(commits), disk_usage(daemon.folder), (early[0], late[0]), (early[1], late[1]))
