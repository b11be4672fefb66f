"""Those who are compared: what keeps running."""

import http.client
import json
import os
import signal
import subprocess
import time

from peers import Peer, git_sync_command
from processes import Cost, Failed, Memory, cpu_seconds, descendants, memory, stop

PATIENCE = 300  # Seconds until something that does not happen is given up.
QUIET = 0.3  # Seconds without work after which a process is taken to have nothing to do.


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
        before = [float("-inf")]

        def is_quiet():
            now = cpu_seconds(self.process.pid)
            rests = now - before[0] < 0.001 and len(descendants(self.process.pid)) == 1
            before[0] = now
            return rests

        self._wait(is_quiet, QUIET)

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


class PushedSidekick(SidekickDaemon):
    """Told of a push by a webhook; asks by itself every `delay` seconds."""

    SECRET = "benchmark"

    def __init__(self, name, git, program, delay):
        super().__init__(name, git, program, "link")
        self.delay = delay

    def first(self):
        self.git.environment["SIDEKICK_WEBHOOK_SECRET"] = self.SECRET
        super().first()
        with open(self.log) as log:
            self.address = next(line for line in log if " listening " in line).split("address=")[1].split()[0]

    def command(self):
        return [self.program, self.url, self.destination, "--layout", self.layout, "--delay", self.delay, "--listen",
                "127.0.0.1:0"]

    def push(self):
        self._ask("POST", "/webhooks/generic")

    def stages(self):
        """Seconds of each stage of the last pass that published something."""
        attempts = json.loads(self._ask("GET", "/status"))["attempts"]
        return next(attempt["stages"] for attempt in attempts if attempt["result"] == "published")

    def _ask(self, method, path):
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        connection.request(method, path, headers={"Authorization": f"Bearer {self.SECRET}"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status not in (200, 202):
            raise SystemExit(f"{path} answers {answer.status}")
        return body


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


def identity(path):
    """What changes when a path shows another file."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
