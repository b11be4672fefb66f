"""Those who are compared, each in a folder of its own: what publishes by commands that end."""

import os

from processes import run_to_end


class Peer:
    """What publishes by commands that end."""
    updates = True

    def __init__(self, name, git):
        self.name, self.git = name, git

    def begin(self, site, url, folder):
        self.site, self.url, self.folder = site, url, folder
        self.destination, self.log = f"{folder}/www", f"{folder}/log"
        os.mkdir(folder)

    def first(self):
        return self._run(self.first_command())

    def update(self, number):
        cost = self._run(self.update_command())
        self.check(number)
        return cost

    def no_change(self):
        return self._run(self.update_command())

    def check(self, number):
        """A benchmark that does not look might measure nothing."""
        with open(f"{self.destination}/{self.site.paths(number)[0]}", "rb") as file:
            if file.read() != self.site.bytes_of_first(number):
                raise SystemExit(f"{self.name} does not show commit {number} of {self.site.name}")

    def end(self):
        pass

    def _run(self, command):
        return run_to_end(command, self.folder, self.git.environment, self.log)


class Pull(Peer):
    """The loop of the seed: `git clone` where there is nothing, then `git pull`."""

    def first_command(self):
        return ["git", "clone", "-q", self.url, self.destination]

    def update_command(self):
        return ["git", "-C", self.destination, "pull", "-q"]


class Sidekick(Peer):
    """A process for each pass."""

    def __init__(self, name, git, program, layout):
        super().__init__(name, git)
        self.program, self.layout = program, layout

    def first_command(self):
        return [self.program, self.url, self.destination, "--layout", self.layout, "--once"]

    update_command = first_command


class GitSyncOnce(Peer):
    """git-sync that ends after the first publish."""
    updates = False

    def __init__(self, name, git, program):
        super().__init__(name, git)
        self.program = program

    def first_command(self):
        return git_sync_command(self) + ["--one-time"]


class Reference(Peer):
    """What the bare system calls of a publish cost: a command, given the destination."""
    updates = False

    def __init__(self, name, git, command):
        super().__init__(name, git)
        self.command = command

    def first_command(self):
        os.mkdir(self.destination)
        return self.command(self.destination)


def git_sync_command(peer):
    return [peer.program, "--repo", peer.url, "--ref", "main", "--root", f"{peer.folder}/root",
            "--link", peer.destination]
