"""Those who are compared. Each publishes a site's repository below a folder of its own."""

import os
import signal
import subprocess
import time

from processes import Cost, Failed, Memory, cpu_seconds, descendants, memory, run_to_end, stop

PATIENCE = 300
QUIET = 0.3


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


class Daemon(Peer):
    """What keeps running. SIGHUP asks it for a pass, which is timed until readers see it.

    CPU and memory are those until it is quiet again, with what it cleans up or prepares after the switch.
    """

    def __init__(self, name, git, grace):
        super().__init__(name, git)
        self.grace = grace
        self.process = None

    def first(self):
        """Not measured: the start of a process is timed where it ends."""
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, env=self.git.environment,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._wait(self.is_ready, 0.01)
        self._settle(self.grace)

    def update(self, number, settling=True):
        paths = [f"{self.destination}/{path}" for path in self.site.paths(number)]
        if self.is_atomic:
            paths = paths[:1]
        before = [identity(path) for path in paths]

        def is_visible():
            while paths and identity(paths[-1]) != before[-1]:
                paths.pop(), before.pop()
            return not paths

        cost = self._measure(is_visible, self.grace if settling else None)
        self.check(number)
        return cost

    def no_change(self):
        return self._measure(self.end_of_pass(), 0)

    def idle(self):
        return memory(self.process.pid)

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self):
        if self.process:
            stop(self.process)

    def _measure(self, is_done, grace):
        cpu = cpu_seconds(self.process.pid)
        with Memory(self.process.pid) as peak:
            start = time.perf_counter()
            self.process.send_signal(signal.SIGHUP)
            wall = None
            if is_done:
                self._wait(is_done, 0.0003)
                wall = time.perf_counter() - start
            if grace is not None:
                self._settle(grace)
        return Cost(wall, cpu_seconds(self.process.pid) - cpu, peak.anonymous, peak.resident)

    def _settle(self, grace):
        """Waits until the time after which it cleans up has passed and it does nothing any more."""
        time.sleep(grace + 0.2 if grace else 0)
        cpu = None
        while cpu is None or cpu_seconds(self.process.pid) - cpu > 0.001 or len(descendants(self.process.pid)) > 1:
            cpu = cpu_seconds(self.process.pid)
            time.sleep(QUIET)

    def _wait(self, condition, pause):
        end = time.monotonic() + PATIENCE
        while not condition():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed(self.command(), "it ended" if self.process.poll() is not None else "timed out", self.log)
            time.sleep(pause)


class SidekickDaemon(Daemon):
    def __init__(self, name, git, program, layout, grace=2.0):
        super().__init__(name, git, grace)
        self.program, self.layout = program, layout
        self.is_atomic = layout != "folder"

    @property
    def status(self):
        return f"{self.folder}/.sidekick/www/status.json"

    def command(self):
        return [self.program, self.url, self.destination, "--layout", self.layout, "--delay", "1h",
                "--grace", f"{self.grace}s"]

    def is_ready(self):
        return os.path.exists(self.status) and os.path.exists(self.destination)

    def end_of_pass(self):
        before = os.stat(self.status).st_mtime_ns
        return lambda: os.stat(self.status).st_mtime_ns != before


class GitSyncDaemon(Daemon):
    is_atomic = True

    def __init__(self, name, git, program):
        super().__init__(name, git, grace=0)
        self.program = program

    def command(self):
        # At this verbosity it says when a pass has ended.
        return git_sync_command(self) + ["--period", "1h", "--sync-on-signal", "SIGHUP", "--verbose", "3"]

    def is_ready(self):
        return self._ends() > 0

    def end_of_pass(self):
        before = self._ends()
        return lambda: self._ends() > before

    def _ends(self):
        with open(self.log, "rb") as file:
            return file.read().count(b"next sync")


def git_sync_command(peer):
    return [peer.program, "--repo", peer.url, "--ref", "main", "--root", f"{peer.folder}/root",
            "--link", peer.destination]


def identity(path):
    """What changes when a path shows another file."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
