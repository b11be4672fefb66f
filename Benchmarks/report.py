"""The results as Markdown."""

from goals import goals
from results import FIRST, STEPS
from text import bytes_text, markdown, megabytes, seconds, times


def report(machine, options, results):
    parts = ["# Benchmarks", "", machine.text(), "",
             f"Medians, {options.rounds} of each; ratios are to git (`git clone`, `git pull`)"
             + (" and to git-sync." if results.has_git_sync else "; git-sync was not measured (GIT_SYNC)."),
             "A name without \"running\" is a process for each pass. In brackets: bare system calls, for reference.",
             "Memory is the peak of the whole process tree: anonymous, and resident, in MB."]
    parts += [line for step in STEPS for line in table(results, step)]
    parts += disk(results) + idle(results) + goals(results)
    return "\n".join(parts)


def table(results, step):
    rows = []
    peers = ["git"]
    if results.has_git_sync:
        peers.append("git-sync" if step == FIRST else "git-sync, running")
    for site in results.sites:
        for name in results.names(step):
            def median(what, of=name):
                return results.median(step, site, of, what)

            def compared(what):
                return [times(median(what), median(what, peer)) for peer in peers]

            wall = seconds(median("wall"))
            if median("wall") is not None:
                wall += " ({} to {})".format(*map(seconds, results.range(step, site, name, "wall")))
            rows.append([site.name, name, wall, *compared("wall"), seconds(median("cpu")), *compared("cpu"),
                         megabytes(median("anonymous")), megabytes(median("resident")),
                         f"{median('requests'):.0f} / {bytes_text(median('traffic'))}"])
    ratios = [f"× {peer}" for peer in peers]
    head = ["site", "who", "wall (range)", *ratios, "CPU", *ratios, "anonymous", "resident", "requests / bytes"]
    return ["", f"## {step}", "", *markdown(head, rows)]


def disk(results):
    rows = [[site.name, name, megabytes(size), f"{size / results.disk[site, None]:.2f}"]
            for (site, name), size in results.disk.items() if name]
    return ["", "## Disk after the updates", "", "`du` of DESTINATION and state, and how many times that of one tree.",
            "", *markdown(["site", "who", "MB", "trees"], rows)]


def idle(results):
    rows = [[site.name, name, megabytes(sizes["RssAnon"]), megabytes(sizes["VmRSS"])]
            for (site, name), sizes in results.idle.items()]
    return ["", "## Idle memory after the first publish", "", *markdown(["site", "who", "anonymous", "resident"], rows)]

