"""What is on the disk."""

import subprocess


def disk_usage(path):
    output = subprocess.run(["du", "-sk", path], check=True, stdout=subprocess.PIPE, text=True).stdout
    return int(output.split()[0]) * 1024
