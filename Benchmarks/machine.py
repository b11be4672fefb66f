"""On what it was measured."""

import os
import platform
import re
import subprocess
import time


class Machine:
    def __init__(self, project, program, folder):
        self.lines = [
            ("taken", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())),
            ("sidekick", f"{output(program, '--version')}, commit "
                         f"{output('git', '-C', project, 'rev-parse', '--short', 'HEAD') or 'unknown'}, "
                         f"{os.path.getsize(program) / 1e6:.0f} MB"),
            ("processor", f"{processor()}, {len(os.sched_getaffinity(0))} cores"),
            ("memory", f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"),
            ("kernel", platform.release()),
            ("file system", file_system(folder)),
            ("programs", ", ".join(filter(None, [
                output("git", "--version"), f"libgit2 {libgit2(program)}",
                output("nginx", "-v").replace("nginx version: ", ""), swift()]))),
        ]
        self.load = os.getloadavg()[0]

    def text(self):
        lines = self.lines + [("load", f"{self.load:.1f} before, {os.getloadavg()[0]:.1f} after")]
        return "\n".join(f"- {name}: {value}" for name, value in lines)


def output(*command):
    """The first line that a command prints; empty when there is no such command."""
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except FileNotFoundError:
        return ""
    return result.stdout.partition("\n")[0] if result.returncode == 0 else ""


def swift():
    version = re.search(r"Swift version \S+", output("swift", "--version"))
    return version[0] if version else "no Swift here"


def processor():
    with open("/proc/cpuinfo") as file:
        match = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return match[1] if match else platform.machine()


def libgit2(program):
    libraries = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True).stdout
    match = re.search(r"libgit2\S* => (\S+)", libraries)
    return os.path.realpath(match[1]).partition(".so.")[2] if match else "inside"


def file_system(folder):
    best = ("", "", "unknown")
    with open("/proc/mounts") as file:
        for line in file:
            device, mount, kind, *_ = line.split()
            if os.path.commonpath([mount, os.path.realpath(folder)]) == mount and len(mount) >= len(best[1]):
                best = (device, mount, kind)
    device, _, kind = best
    has_journal = os.path.isdir(f"/proc/fs/jbd2/{os.path.basename(os.path.realpath(device))}-8")
    return "ext4 without a journal" if kind == "ext4" and not has_journal else kind
