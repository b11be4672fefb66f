"""A machine of qemu with Debian's kernel and a system in its memory, whose power may be pulled."""

import glob
import os
import shutil
import subprocess
import sys

PACKAGES = {"/usr/bin/qemu-system-x86_64": "qemu-system-x86", "/usr/bin/cpio": "cpio"}


def install(packages):
    """Installs what is missing: of each file the package that has it."""
    missing = [package for file, package in (PACKAGES | packages).items() if not os.path.exists(file)]
    if not missing:
        return
    if os.geteuid() != 0:
        sys.exit(f"Install first:  apt-get install {' '.join(missing)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True, env=environment, stdout=subprocess.DEVNULL)


def kernel(work):
    """- Returns: Debian's kernel for machines of a cloud, and the folder of its modules."""
    packages = f"{work}/packages"
    os.mkdir(packages)
    depends = subprocess.run(["apt-cache", "depends", "linux-image-cloud-amd64"], check=True, capture_output=True, text=True).stdout
    image = next(line.split()[-1] for line in depends.splitlines() if "linux-image-" in line and "Depends" in line)
    subprocess.run(["apt-get", "download", "-qq", image], check=True, cwd=packages, stderr=subprocess.DEVNULL)
    subprocess.run(["dpkg-deb", "-x", glob.glob(f"{packages}/*.deb")[0], f"{work}/kernel"], check=True)
    file = glob.glob(f"{work}/kernel/boot/vmlinuz-*")[0]
    return file, f"{work}/kernel/lib/modules/{os.path.basename(file).removeprefix('vmlinuz-')}"


def add_modules(modules, parts, root):
    """Puts some of a kernel's modules into a system."""
    version = os.path.basename(modules)
    for part in parts:
        source, target = f"{modules}/{part}", f"{root}/lib/modules/{version}/{part}"
        if os.path.isdir(source):
            shutil.copytree(source, target)
        elif os.path.exists(source):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(source, target)
    for name in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
        if os.path.exists(f"{modules}/{name}"):
            shutil.copy(f"{modules}/{name}", f"{root}/lib/modules/{version}/")
    depmod = ["/sbin/depmod"] if os.path.exists("/sbin/depmod") else ["busybox", "depmod"]
    subprocess.run([*depmod, "-b", root, version], check=True)


def ramdisk(root, file):
    """Packs a system, of which the kernel starts `/init`."""
    names = subprocess.run(["find", ".", "-print0"], cwd=root, check=True, capture_output=True).stdout
    with open(file, "wb") as output:
        subprocess.run(["cpio", "--null", "-o", "-H", "newc", "--quiet"], cwd=root, input=names, stdout=output, check=True)


def command(kernel, ramdisk, memory):
    """- Returns: what starts it, without an accelerator: memory in MiB, no network, its console on standard output."""
    return ["qemu-system-x86_64", "-m", str(memory), "-nographic", "-no-reboot", "-monitor", "none", "-serial", "stdio", "-nic", "none",
            "-kernel", kernel, "-initrd", ramdisk]


def accelerator(kernel, work):
    """- Returns: KVM, where a machine starts with it, which in a machine of its own is not certain."""
    slow = ["-accel", "tcg,thread=multi", "-cpu", "max"]
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return slow
    root = f"{work}/nothing"
    os.makedirs(f"{root}/dev")
    shutil.copy("/bin/busybox", f"{root}/busybox")
    with open(f"{root}/init", "w") as file:
        file.write("#!/busybox sh\n/busybox echo machine: it starts\n/busybox poweroff -f\n")
    os.chmod(f"{root}/init", 0o755)
    ramdisk(root, f"{work}/nothing.cpio")
    arguments = [*command(kernel, f"{work}/nothing.cpio", 256), "-accel", "kvm", "-append", "console=ttyS0 quiet panic=-1"]
    try:
        said = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20).stdout
    except subprocess.TimeoutExpired:
        return slow
    return ["-accel", "kvm"] if b"machine: it starts" in said else slow
