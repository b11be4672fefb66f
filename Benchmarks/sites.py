"""The sites: bare repositories made by git fast-import, the same bytes and ids on every machine."""

import hashlib
import subprocess

EPOCH = 1_700_000_000
COMMITTER = "Benchmark <benchmark@example.org>"
WORDS = """river stone window letter garden summer paper morning village market music silver bread winter harbor
candle forest mirror journey button kettle meadow pocket ribbon shadow theater umbrella velvet walnut yellow anchor
blanket copper dinner engine feather gravel hammer island jacket kitchen ladder magnet needle orange pepper quarter
rocket saddle timber valley wagon basket canvas danger eleven famous gentle hollow indigo jungle kindly lively
modern narrow origin public quiet remote simple tender useful violet wooden""".split()


class Shape:
    """How a site looks: a path for each page, words in a page, bytes of an asset."""

    def __init__(self, name="pages", path=None, words=130, asset=2_000):
        self.name, self.path, self.words, self.asset = name, path or page_path, words, asset


class Site:
    """A bare repository: one commit of pages and assets, then prepared commits that no reference names.

    `show` moves the branch to one of them, so that a push costs nothing while others are measured.
    """

    def __init__(self, git, path, pages, shape=None):
        self.git, self.path, self.pages, self.shape = git, path, pages, shape or Shape()
        self.commits, self.changed = [], []
        git.run("init", "-q", "--bare", "-b", "main", path)
        git.run("-C", path, "config", "fastimport.unpackLimit", "1")
        git.run("-C", path, "config", "gc.auto", "0")
        assets = [(f"assets/{i // 4:02}/asset-{i:03}.bin", noise(f"asset {i}", self.shape.asset * (1 + i % 4 * 2)))
                  for i in range(pages // 50)]
        self.files = pages + len(assets)
        self._import("refs/heads/main", [range(pages)], assets)
        # As hosts keep them: with the deltas of git's own packing, not of fast-import, and with a bitmap.
        git.run("-C", path, "repack", "-adfqb")

    @property
    def name(self):
        return f"{self.pages:,} {self.shape.name}"

    def prepare(self, sizes):
        """Adds a chain of commits, each of which changes so many pages. Returns their numbers."""
        first = len(self.commits)
        # Steps by primes spread the pages over the site.
        return self.prepare_pages([
            sorted({(number * 104_729 + i * 7_919) % self.pages for i in range(min(size, self.pages))})
            for number, size in enumerate(sizes, first)])

    def prepare_pages(self, updates):
        """The same of pages that are named."""
        first = len(self.commits)
        self._import("refs/heads/prepared", updates)
        self.git.run("-C", self.path, "update-ref", "-d", "refs/heads/prepared")
        return range(first, len(self.commits))

    def show(self, number):
        self.git.run("-C", self.path, "update-ref", "refs/heads/main", self.commits[number])

    def paths(self, number):
        """What a commit changed."""
        return [self.shape.path(page) for page in self.changed[number]]

    def bytes_of_first(self, number):
        """What must be in the first of `paths`."""
        return page_bytes(self.changed[number][0], number, self.shape.words)

    def _import(self, reference, updates, assets=()):
        first = len(self.commits)
        importer = subprocess.Popen(
            ["git", "-C", self.path, "fast-import", "--quiet", "--export-marks=marks"],
            stdin=subprocess.PIPE, env=self.git.environment)
        with importer.stdin as stream:
            for number, pages in enumerate(updates, first):
                lines = [f"commit {reference}", f"mark :{number + 1}",
                         f"committer {COMMITTER} {EPOCH + number * 60} +0000", "data 6", "Update"]
                if number > first:
                    lines.append(f"from :{number}")
                elif number > 0:
                    lines.append(f"from {self.commits[-1]}")
                stream.write("\n".join(lines).encode() + b"\n")
                for path, data in [(self.shape.path(page), page_bytes(page, number, self.shape.words)) for page in pages] + list(assets):
                    stream.write(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))
                self.changed.append(list(pages))
        if importer.wait() != 0:
            raise SystemExit("git fast-import failed")
        with open(f"{self.path}/marks") as file:
            commits = dict(line.split() for line in file)
        self.commits += [commits[f":{number + 1}"] for number in range(first, len(self.changed))]


def page_path(page):
    return f"posts/{words(f'slug {page}', 3, '-')}-{page:05}/index.html"


def page_bytes(page, version, count=130):
    """Text that no other page and no other version has: about 1 kB of 130 words."""
    title = words(f"slug {page}", 3, " ").title()
    text = words(f"text {page} {version}", count, " ")
    return (f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title></head>\n'
            f"<body>\n<h1>{title}</h1>\n<p>{text}.</p>\n<p>Version {version}</p>\n</body>\n</html>\n").encode()


def words(seed, count, separator):
    return separator.join(WORDS[byte % len(WORDS)] for byte in noise(seed, count))


def noise(seed, count):
    return hashlib.shake_128(seed.encode()).digest(count)
