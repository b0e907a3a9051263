"""Runs a program as a unit of systemd confines it, as far as that goes without systemd: the filter of system calls, address
families, name spaces, writable and executable memory, real time, set-user-ID bits and personalities; no capabilities, no new
privileges, limits, umask, and a file system that is read-only but for one directory. Not: its user, its private /tmp, /dev
and users, hidden processes, cgroups.

Usage (as root): sandbox.py UNIT WRITABLE PROGRAM [ARGUMENTS...]
"""

import ctypes
import os
import pathlib
import resource
import subprocess
import sys

import seccomp

LIBC = ctypes.CDLL(None, use_errno=True)
# From <sched.h>, <sys/mount.h>, <sys/prctl.h>, <sys/personality.h>, <sys/mman.h>, <sched.h>.
CLONE_NEWNS = 0x20000
NAMESPACES = {"cgroup": 0x02000000, "ipc": 0x08000000, "net": 0x40000000, "mnt": CLONE_NEWNS, "pid": 0x20000000,
              "user": 0x10000000, "uts": 0x04000000}
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x40000
PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4
PROT_WRITE, PROT_EXEC, SHM_EXEC = 0x2, 0x4, 0o100000
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
REAL_TIME = (1, 2, 6)
SET_ID = (0o4000, 0o2000)
EPERM, EAFNOSUPPORT = seccomp.ERRNO(1), seccomp.ERRNO(97)
KERNEL = ("/proc", "/sys", "/dev")


def directives(unit):
    found = {}
    for line in pathlib.Path(unit).read_text().splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith(("#", "[")):
            found.setdefault(key, []).append(value)
    return found


def members(group):
    """The system calls of a group, those of groups in it included."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True)
    calls = set()
    for word in (line.strip() for line in listed.stdout.splitlines()[1:]):
        if word.startswith("@"):
            calls |= members(word)
        elif word and not word.startswith("#"):
            calls.add(word)
    return calls


def allowed(filters):
    calls = set()
    for line in filters:
        groups = line.removeprefix("~").split()
        named = set().union(*(members(group) if group.startswith("@") else {group} for group in groups))
        calls = calls - named if line.startswith("~") else calls | named
    # systemd grants these with any list, to be able to start the program.
    return calls | members("@default") | {"execve"}


def load(rules, refusal=EPERM):
    filter = seccomp.SyscallFilter(defaction=seccomp.ALLOW)
    for call, *arguments in rules:
        try:
            filter.add_rule(refusal, call, *arguments)
        except (RuntimeError, ValueError):
            # Of another architecture.
            pass
    filter.load()


def filter_calls(calls):
    filter = seccomp.SyscallFilter(defaction=EPERM)
    for call in sorted(calls):
        try:
            filter.add_rule(seccomp.ALLOW, call)
        except (RuntimeError, ValueError):
            # Of another architecture.
            pass
    filter.load()


def filter_arguments(unit):
    masked = seccomp.MASKED_EQ
    rules = []
    if unit.get("MemoryDenyWriteExecute") == ["yes"]:
        both = PROT_WRITE | PROT_EXEC
        rules += [("mmap", seccomp.Arg(2, masked, both, both)), ("mprotect", seccomp.Arg(2, masked, PROT_EXEC, PROT_EXEC)),
                  ("pkey_mprotect", seccomp.Arg(2, masked, PROT_EXEC, PROT_EXEC)),
                  ("shmat", seccomp.Arg(2, masked, SHM_EXEC, SHM_EXEC))]
    if unit.get("RestrictNamespaces") == ["yes"]:
        for flag in NAMESPACES.values():
            rules += [(call, seccomp.Arg(0, masked, flag, flag)) for call in ("clone", "unshare")]
        rules += [("setns",)]
    if unit.get("RestrictRealtime") == ["yes"]:
        rules += [("sched_setscheduler", seccomp.Arg(1, seccomp.EQ, policy)) for policy in REAL_TIME]
    if unit.get("RestrictSUIDSGID") == ["yes"]:
        for bit in SET_ID:
            rules += [("chmod", seccomp.Arg(1, masked, bit, bit)), ("fchmod", seccomp.Arg(1, masked, bit, bit)),
                      ("fchmodat", seccomp.Arg(2, masked, bit, bit)), ("mkdir", seccomp.Arg(1, masked, bit, bit))]
    if unit.get("LockPersonality") == ["yes"]:
        rules += [("personality", seccomp.Arg(0, seccomp.NE, 0))]
    load(rules)
    # A rule each: all of the conditions in one would have to hold at once.
    [families] = unit["RestrictAddressFamilies"]
    known = sorted(FAMILIES[family] for family in families.split())
    edges = [(low + 1, high - 1) for low, high in zip([-1, *known], [*known, 64]) if low + 1 <= high - 1]
    others = [family for first, last in edges for family in range(first, last + 1)]
    load([("socket", seccomp.Arg(0, seccomp.EQ, family)) for family in others], EAFNOSUPPORT)


def must(outcome, what):
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def protect_files(writable):
    must(LIBC.unshare(CLONE_NEWNS), "unshare")
    must(LIBC.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "private mounts")
    must(LIBC.mount(writable.encode(), writable.encode(), None, MS_BIND | MS_REC, None), writable)
    mounts = [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in {mount for mount in mounts if mount != writable and not mount.startswith(KERNEL)}:
        # One that another hides cannot be had, and need not be.
        LIBC.mount(None, mount.encode(), None, MS_REMOUNT | MS_BIND | MS_RDONLY, None)


def main():
    unit, writable, *command = directives(sys.argv[1]), os.path.realpath(sys.argv[2]), *sys.argv[3:]
    calls = allowed(unit["SystemCallFilter"])
    protect_files(writable)
    os.umask(int(unit["UMask"][0], 8))
    limit = int(unit["LimitNOFILE"][0])
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    must(LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "ambient capabilities")
    for capability in range(int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1):
        must(LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "capabilities")
    # Loading them also forbids new privileges.
    filter_arguments(unit)
    filter_calls(calls)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
