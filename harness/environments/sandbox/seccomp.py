"""The system call filter: a classic BPF program, assembled here from a table of numbers.

The filter is a second wall behind the namespaces: it takes away the system calls that have no place in
a task and a history of kernel escapes. `mknod` stays, because mkfifo is made of it. Calls that reach
memory no watchdog sees (memfd, System V shared memory and queues) answer ENOSYS.

Source of the layout: linux/filter.h, linux/seccomp.h; numbers: asm/unistd_64.h, asm-generic/unistd.h.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Mapping
from types import MappingProxyType

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_X32_BIT = 0x40000000

_NEW_NAMESPACES = 0x7E020080
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET and NEWTIME."""
_TERMINAL_INJECTION = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX."""
_SOCKET_FAMILIES = (1, 2, 10, 16)
"""Unix, IPv4, IPv6 and netlink; never vsock, packet, Bluetooth or the kernel's crypto sockets."""

_AUDIT = MappingProxyType({"x86_64": 0xC000003E, "aarch64": 0xC00000B7})

_FORBIDDEN: Mapping[str, tuple[int | None, int | None]] = MappingProxyType(
    {
        "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
        "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
        "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
        "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
        "pidfd_getfd": (438, 438), "kcmp": (312, 272), "process_madvise": (440, 440),
        "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
        "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
        "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
        "unshare": (272, 97), "setns": (308, 268),
        "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142),
        "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
        "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
        "syslog": (103, 116), "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
        "clock_adjtime": (305, 266), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
        "lookup_dcookie": (212, 18), "nfsservctl": (180, 42), "vhangup": (153, 58), "fanotify_init": (300, 262),
        "move_pages": (279, 239), "mbind": (237, 235), "migrate_pages": (256, 238),
        "uselib": (134, None), "modify_ldt": (154, None), "iopl": (172, None), "ioperm": (173, None),
    }
)  # fmt: skip
"""Call -> its number on x86_64 and on aarch64; answered with EPERM."""

_NOT_IMPLEMENTED: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "clone3": (435, 435),  # its flags lie in memory, out of a filter's sight; libc falls back to clone
        "memfd_create": (319, 279), "memfd_secret": (447, 447),
        "shmget": (29, 194), "msgget": (68, 186),
    }
)  # fmt: skip
"""Likewise, answered with ENOSYS."""

_CLONE, _IOCTL, _SOCKET, _SOCKETPAIR = (56, 220), (16, 29), (41, 198), (53, 199)


def machine_is_known() -> bool:
    """Say whether there is a table of system calls for this machine."""
    return platform.machine() in _AUDIT


def program(machine: str | None = None) -> bytes:
    """Assemble the filter for a machine (`x86_64` or `aarch64`; this one when none is given).

    The bytes are an array of `struct sock_filter`, as `bwrap --seccomp` reads it. Raises `KeyError` for
    any other machine.
    """
    machine = machine or platform.machine()
    audit = _AUDIT[machine]
    column = list(_AUDIT).index(machine)
    code = [_load(_ARCHITECTURE), _jump(_JUMP_EQUAL, audit, 1, 0), _return(_KILL), _load(_NUMBER)]
    if machine == "x86_64":
        code += [_jump(_JUMP_AT_LEAST, _X32_BIT, 0, 1), _refuse(errno.ENOSYS)]
    for table, error in ((_FORBIDDEN, errno.EPERM), (_NOT_IMPLEMENTED, errno.ENOSYS)):
        for numbers in table.values():
            number = numbers[column]
            if number is not None:
                code += [_jump(_JUMP_EQUAL, number, 0, 1), _refuse(error)]
    code += _when(_CLONE[column], 0, [_jump(_JUMP_ANY_BIT, _NEW_NAMESPACES, 0, 1), _refuse(errno.EPERM)])
    code += _when(
        _IOCTL[column],
        1,
        [step for request in _TERMINAL_INJECTION for step in (_jump(_JUMP_EQUAL, request, 0, 1), _refuse(errno.EPERM))],
    )
    families = len(_SOCKET_FAMILIES)
    known = [_jump(_JUMP_EQUAL, family, families - at, 0) for at, family in enumerate(_SOCKET_FAMILIES)]
    for number in (_SOCKET[column], _SOCKETPAIR[column]):
        code += _when(number, 0, [*known, _refuse(errno.EAFNOSUPPORT)])
    return b"".join([*code, _return(_ALLOW)])


def _when(number: int, argument: int, body: list[bytes]) -> list[bytes]:
    """Run `body` over the low half of an argument of one call; what it does not refuse is allowed."""
    inside = [_load(_ARGUMENTS + 8 * argument), *body, _return(_ALLOW)]
    return [_jump(_JUMP_EQUAL, number, 0, len(inside)), *inside]


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _load(offset: int) -> bytes:
    return _instruction(_LOAD, offset)


def _jump(code: int, value: int, if_true: int, if_false: int) -> bytes:
    return _instruction(code, value, if_true, if_false)


def _return(value: int) -> bytes:
    return _instruction(_RETURN, value)


def _refuse(error: int) -> bytes:
    return _return(_ERRNO | error)
