"""The results as Markdown."""

from goals import goals
from results import FIRST, STEPS


def report(machine, options, results):
    parts = ["# Benchmarks", "", machine.text(), "",
             f"Medians, {options.rounds} of each; ratios are to git (`git clone`, `git pull`)"
             + (" and to git-sync." if results.has_git_sync else "; git-sync was not measured (GIT_SYNC)."),
             "A name without \"running\" is a process for each pass; in brackets: the bare system calls, for reference.",
             "Memory is the peak of the whole process tree: anonymous, and resident, in MB."]
    parts += [line for step in STEPS for line in table(results, step)]
    parts += disk(results) + idle(results) + goals(results)
    return "\n".join(parts)


def table(results, step):
    rows = []
    for site in results.sites:
        for name in results.names(step):
            def median(what, of=name):
                return results.median(step, site, of, what)

            def ratios(what):
                peers = ["git"] + (["git-sync" if step == FIRST else "git-sync, running"] if results.has_git_sync else [])
                return [times(median(what), median(what, peer)) for peer in peers]

            wall = seconds(median("wall"))
            if median("wall") is not None:
                wall += " ({} to {})".format(*map(seconds, results.range(step, site, name, "wall")))
            rows.append([site.name, name, wall, *ratios("wall"), seconds(median("cpu")), *ratios("cpu"),
                         megabytes(median("anonymous")), megabytes(median("resident")),
                         f"{median('requests'):.0f} / {bytes_text(median('traffic'))}"])
    peers = ["× git"] + (["× git-sync"] if results.has_git_sync else [])
    head = ["site", "who", "wall (range)", *peers, "CPU", *peers, "anonymous", "resident", "requests / bytes"]
    return ["", f"## {step}", "", *markdown(head, rows)]


def disk(results):
    rows = [[site.name, name, megabytes(size), f"{size / results.disk[site, None]:.2f}"]
            for (site, name), size in results.disk.items() if name]
    return ["", "## Disk after the updates", "", "`du` of DESTINATION and state, and how many times that of one tree.", "",
            *markdown(["site", "who", "MB", "trees"], rows)]


def idle(results):
    rows = [[site.name, name, megabytes(sizes["RssAnon"]), megabytes(sizes["VmRSS"])]
            for (site, name), sizes in results.idle.items()]
    return ["", "## Idle memory after the first publish", "", *markdown(["site", "who", "anonymous", "resident"], rows)]


def markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def seconds(value):
    if value is None:
        return "–"
    return f"{value:.2f} s" if value >= 0.9995 else f"{value * 1000:.0f} ms" if value >= 0.02 else f"{value * 1000:.1f} ms"


def megabytes(value):
    return "–" if value is None else f"{value / 1e6:.1f}"


def bytes_text(value):
    return f"{value / 1e6:.1f} MB" if value >= 1e6 else f"{value / 1e3:.1f} kB" if value >= 1e3 else f"{value:.0f} B"


def times(value, base):
    return f"{value / base:.2f}" if value is not None and base else "–"
