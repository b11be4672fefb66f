"""Trees of processes: who belongs to one, what it costs, how it is ended."""

import dataclasses
import os
import subprocess
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Cost:
    """Of one measurement. Seconds and bytes; `None` is what could not be seen."""
    wall: float | None
    cpu: float
    anonymous: int
    resident: int
    requests: int | None = None
    traffic: int | None = None


class Memory(threading.Thread):
    """The peak memory of a tree of processes, as a context.

    Every 4 ms the sizes of all of its processes are added up. What is shorter than that is missed, such as helpers of
    git that live for a few milliseconds; what processes share, such as libraries, mapped packs or the pages of a child
    between fork and exec, is counted for each of them. The resident peak of a single process is exact (VmHWM).
    """

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.done = pid, threading.Event()
        self.anonymous = self.resident = 0

    def __enter__(self):
        try:
            with open(f"/proc/{self.pid}/clear_refs", "w") as file:
                file.write("5")  # VmHWM begins anew.
        except OSError:
            pass
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()

    def run(self):
        while True:
            self._sample()
            if self.done.wait(0.004):
                return

    def _sample(self):
        anonymous = resident = 0
        for pid in descendants(self.pid):
            sizes = memory(pid)
            anonymous += sizes["RssAnon"]
            resident += sizes["VmRSS"]
            self.resident = max(self.resident, sizes["VmHWM"])
        self.anonymous = max(self.anonymous, anonymous)
        self.resident = max(self.resident, resident)


def memory(pid):
    """Sizes in bytes of a process, by their names in /proc/PID/status; zeros when it has ended."""
    sizes = {"RssAnon": 0, "VmRSS": 0, "VmHWM": 0}
    try:
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key in sizes:
                    sizes[key] = int(value.split()[0]) * 1024
    except OSError:
        pass
    return sizes


def run_to_end(command, folder, environment, log):
    """Runs a command: its time includes its start, its CPU all children that it waited for."""
    with open(log, "ab") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=output)
        try:
            with Memory(process.pid) as peak:
                _, status, usage = os.wait4(process.pid, 0)
                wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            stop(process)
    if process.returncode != 0:
        raise Failed(command, process.returncode, log)
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak.anonymous, peak.resident)


def cpu_seconds(pid):
    """User and system time of a living process, to the nanosecond, and of its children that ended, to the tick."""
    own = time.clock_gettime(~pid << 3 | 2)  # What clock_getcpuclockid(3) gives.
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return own + (int(fields[13]) + int(fields[14])) / TICK


def descendants(pid):
    """A process and everything below it, as far as it is still there."""
    found, queue = [], [pid]
    while queue:
        pid = queue.pop()
        found.append(pid)
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children") as file:
                    queue += map(int, file.read().split())
        except OSError:
            pass  # It ended meanwhile.
    return found


def stop(process):
    """Ends a process that was started here, then the children that it had, each by its id."""
    if process.poll() is not None:
        return
    children = descendants(process.pid)[1:]
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in children:
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass


class Failed(Exception):
    """A command that did not do what it must, with the end of what it said."""

    def __init__(self, command, status, log):
        with open(log, errors="replace") as file:
            said = file.read()[-2000:]
        super().__init__(f"{' '.join(command)}: {status}\n{said}")
        self.status = status
