"""DESIGN.md section 7, as far as it can be measured here, with verdicts."""

from results import FIRST, NONE, ONE
from text import bytes_text, markdown, megabytes, seconds

# What DESIGN.md says that git-sync 4.5.1 took on its author's machine: for information, never for a verdict.
REFERENCE = {"no change": "125 to 200 ms", "one file": "5 to 15 s", "first": "5.3 s", "idle": "14 MB"}


def goals(results):
    small, big = results.sites
    layout = results.layouts[0]
    once, running, sync = f"sidekick {layout}", f"sidekick {layout}, running", "git-sync, running"
    median = results.median
    rows = []

    def row(what, goal, value, text, limit):
        rows.append([what, goal, text(value), verdict(value, limit)])

    def against_git_sync(what, goal, value, text, base, factor, reference):
        if results.has_git_sync:
            row(what, goal, value, text, base and base * factor)
        else:
            rows.append([what, goal, text(value), f"not measured: needs GIT_SYNC (DESIGN.md: {reference})"])

    row("no change, over http", "1 request", median(NONE, big, running, "requests"), "{:.0f}".format, 1)
    row("no change, over http", "under 1 kB", median(NONE, big, running, "traffic"), bytes_text, 1_000)
    against_git_sync("no change, CPU", "1/100 of git-sync", median(NONE, big, running, "cpu"), seconds,
                     median(NONE, big, sync, "cpu"), 1 / 100, REFERENCE["no change"])
    against_git_sync(f"one file, {big.files:,} files", "1/100 of git-sync", median(ONE, big, running, "wall"), seconds,
                     median(ONE, big, sync, "wall"), 1 / 100, REFERENCE["one file"])
    row(f"one file, {big.files:,} files", f"1.5 × that of {small.files:,} files", median(ONE, big, running, "wall"),
        seconds, 1.5 * median(ONE, small, running, "wall"))
    against_git_sync(f"first publish, {big.files:,} files", "1/2 of git-sync", median(FIRST, big, once, "wall"),
                     seconds, median(FIRST, big, "git-sync", "wall"), 1 / 2, REFERENCE["first"])
    row(f"first publish, {big.files:,} files", "1/3 of git clone", median(FIRST, big, once, "wall"), seconds,
        median(FIRST, big, "git", "wall") / 3)
    row("signal to visible (for a webhook)", "100 ms", median(ONE, big, running, "wall"), seconds, 0.1)
    against_git_sync("idle, anonymous memory", "git-sync's resident", results.idle[big, running]["RssAnon"], megabytes,
                     results.idle.get((big, sync), {}).get("VmRSS"), 1, REFERENCE["idle"])
    row("first publish, peak memory", "git clone's", median(FIRST, big, once, "resident"), megabytes,
        median(FIRST, big, "git", "resident"))
    rows.append(["image", "55 MB, then 40", "", "not measured here: .ci/run does"])
    rows += soak_rows(results, small)
    return ["", "## The goals of DESIGN.md, section 7", "",
            f"Held against the layout {layout}. What is in brackets is for information: another machine.", "",
            *markdown(["what", "goal at most", "measured", "verdict"], rows)]


def soak_rows(results, site):
    soak, tree = results.soak, results.disk[site, None]
    if not soak:
        return [["1,000 updates", "3 trees of disk", "", "not measured: stopped, or --updates 0"]]
    what = f"{soak.updates:,} updates, {site.files:,} files"
    # Flat: what a single descriptor or the rounding of an allocator may add, and no more.
    files, memory = soak.open_files, soak.anonymous
    return [
        [what, "3 trees of disk", f"{soak.disk / tree:.2f}", verdict(soak.disk, 3 * tree)],
        [what, "open files flat (+2)", f"{files[0]} → {files[1]}", verdict(files[1], files[0] + 2)],
        [what, "memory flat (+25 %)", "{:.1f} → {:.1f}".format(*(size / 1e6 for size in memory)),
         verdict(memory[1], 1.25 * memory[0])],
    ]


def verdict(value, limit):
    if value is None or limit is None:
        return "not measured"
    return "met" if value <= limit else f"missed: {value / limit:.1f}×"
