"""Everybody's turn, at each kind of measurement."""

import os
import sys
import time

from daemons import Daemon, GitSyncDaemon, SidekickDaemon
from disk import disk_usage
from peers import GitSyncOnce, Pull, Reference, Sidekick
from processes import Failed
from results import FIRST, Results


class Runner:
    """Begins those who are compared and lets them take turns, in an order that rotates."""

    def __init__(self, options, work, stack, git, server, sites, trees):
        self.options, self.work, self.stack = options, work, stack
        self.git, self.server, self.sites, self.trees = git, server, sites, trees
        self.results = Results(sites, options)
        self.turn = self.folders = 0

    def leave_out_unknown_layouts(self):
        site = self.sites[0]
        for layout in list(self.options.layouts):
            try:
                self._begin(Sidekick(layout, self.git, self.options.program, layout), site).first()
            except Failed as failure:
                if failure.status != 64:
                    raise
                say(f"layout {layout}: not known to this sidekick, left out")
                self.options.layouts.remove(layout)
        if not self.options.layouts:
            raise SystemExit("none of the layouts is known to this sidekick")

    def first_publishes(self):
        for number in range(self.options.rounds):
            say(f"first publish, round {number + 1} of {self.options.rounds}")
            for site, make_peer in self._rotated(
                    [(site, make_peer) for site in self.sites for make_peer in self._publishers(site)]):
                peer = self._begin(make_peer(), site)
                self._record(FIRST, site, peer, peer.first)

    def begin_updates(self):
        say("destinations of the updates")
        self.updated = []
        for site in self.sites:
            peers = [each() for each in self._publishers(site)] + self._daemons(site)
            for peer in (peer for peer in peers if peer.updates):
                self._begin(peer, site).first()
                self.updated.append((site, peer))
                if isinstance(peer, Daemon):
                    self.results.idle[site, peer.name] = peer.idle()

    def pass_of(self, step, commits, record):
        say(f"{step}{'' if record else ', to warm up'}")
        for site in self.sites:
            if commits:
                site.show(commits[site])
        for site, peer in self._rotated(self.updated):
            work = (lambda: peer.update(commits[site])) if commits else peer.no_change
            self._record(step, site, peer, work, record)

    def look_at_disks(self):
        for site, peer in self.updated:
            self.results.disk[site, peer.name] = disk_usage(peer.folder)
        for site, tree in self.trees.items():
            self.results.disk[site, None] = disk_usage(f"{tree}/tree")

    def daemon(self, site, layout, grace):
        peer = SidekickDaemon(f"sidekick {layout}, running", self.git, self.options.program, layout, grace)
        return self._begin(peer, site)

    def _publishers(self, site):
        options, git, tree = self.options, self.git, self.trees[site]
        each = [lambda layout=layout: Sidekick(f"sidekick {layout}", git, options.program, layout)
                for layout in options.layouts]
        each.append(lambda: Pull("git", git))
        if options.git_sync:
            each.append(lambda: GitSyncOnce("git-sync", git, options.git_sync))
        each.append(lambda: Reference("(tar -x)", git, lambda to: ["tar", "-xf", f"{tree}/tree.tar", "-C", to]))
        each.append(lambda: Reference("(cp -al)", git, lambda to: ["cp", "-al", f"{tree}/tree/.", to]))
        return each

    def _daemons(self, site):
        options = self.options
        peers = [SidekickDaemon(f"sidekick {layout}, running", self.git, options.program, layout, options.grace)
                 for layout in options.layouts]
        if options.git_sync:
            peers.append(GitSyncDaemon("git-sync, running", self.git, options.git_sync))
        return peers

    def _begin(self, peer, site):
        self.folders += 1
        peer.begin(site, self.server.url(site.path), f"{self.work}/{self.folders:03}")
        self.stack.callback(peer.end)
        return peer

    def _rotated(self, items):
        self.turn += 1
        start = self.turn % len(items)
        return items[start:] + items[:start]

    def _record(self, step, site, peer, work, record=True):
        os.sync()  # Nobody pays for what another left to be written.
        requests, traffic = self.server.traffic()
        cost = work()
        after = self.server.traffic()
        cost.requests, cost.traffic = after[0] - requests, after[1] - traffic
        if record:
            self.results.add(step, site, peer.name, cost)


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
