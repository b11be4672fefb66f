"""Many updates, one after the other: what piles up?"""

import dataclasses
import subprocess


@dataclasses.dataclass
class Soak:
    updates: int
    disk: int
    open_files: tuple
    anonymous: tuple


def soak(daemon, commits, folder, server):
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
    usage = subprocess.run(["du", "-sk", daemon.folder], check=True, stdout=subprocess.PIPE, text=True).stdout
    return Soak(len(commits), int(usage.split()[0]) * 1024, (early[0], late[0]), (early[1], late[1]))
