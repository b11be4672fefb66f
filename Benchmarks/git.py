"""git, kept apart from the host's configuration."""

import os
import subprocess


class Git:
    """Runs git with an environment of its own, which is also that of everything that is measured."""

    def __init__(self, home):
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
        }

    def run(self, *arguments):
        return subprocess.run(["git", *arguments], env=self.environment, check=True,
                              stdout=subprocess.PIPE, text=True).stdout.strip()
