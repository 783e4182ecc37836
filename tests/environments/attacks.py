"""Attacks on the sandbox, as a program that stands on the standard library alone.

    python attacks.py FOLDER_THAT_HOLDS_SANDBOX NAME...

runs the attacks named, each in a sandbox of its own, and prints a JSON object: name -> null where the
sandbox held, else what got through. The tests run it as root and as an ordinary user who can read nothing
but a copy of the sandbox's source.
"""

# ruff: noqa: ASYNC220 - the attacks are alone in their process

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SECRET = "sk-attack-5f2c1d"
PYTHON = "/usr/bin/python3"
ATTACKS = {}


def attack(function):
    ATTACKS[function.__name__] = function
    return function


def limits(**changes):
    from sandbox import MIB, Limits

    return Limits(**{"memory_bytes": 128 * MIB, "disk_bytes": 8 * MIB, "files": 400, "processes": 40, **changes})


async def opened(**changes):
    from sandbox import open_session

    return await open_session(limits(**changes), characters=3000, scratch=Path(tempfile.gettempdir()))


async def attempt(command, seconds=10.0, **changes):
    session = await opened(**changes)
    try:
        return await session.run(command, seconds)
    finally:
        await session.close()


def holds(text, *leaks):
    found = [leak for leak in leaks if leak in text]
    return f"{found} in: {text[:300]}" if found else None


@attack
async def read_shadow():
    ran = await attempt(
        "cat /etc/shadow /proc/1/root/etc/shadow /proc/self/root/etc/shadow; ls /root /home /var /sys /run /mnt"
    )
    entries = [line for line in ran.output.text.splitlines() if "No such file" not in line and "denied" not in line]
    return f"something was readable: {entries}" if entries else None


@attack
async def read_another_trial():
    one, other = await opened(), await opened()
    try:
        await one.run(f"echo {SECRET} | tee secret /tmp/secret /dev/shm/secret; export S={SECRET}; sleep 60 &", 5)
        ran = await other.run(
            "for p in /proc/[0-9]*; do cat $p/environ $p/root/workspace/secret $p/root/tmp/secret; done 2>/dev/null; "
            "cat /workspace/secret /tmp/secret /dev/shm/secret 2>/dev/null; ls /proc | grep -c '^[0-9]'",
            10,
        )
        return holds(ran.output.text, SECRET)
    finally:
        await one.close()
        await other.close()


@attack
async def read_environment():
    os.environ["OPENAI_API_KEY"] = SECRET
    session = await opened()
    try:
        ran = await session.run("env; export; cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'", 10)
        return holds(ran.output.text, SECRET, "OPENAI", "PYTHONPATH") or (
            None if "HOME=/workspace" in ran.output.text else f"the attack itself failed: {ran}"
        )
    finally:
        await session.close()


@attack
async def connect_to_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as hidden:
        port = server.getsockname()[1]
        name = f"harness-attack-{os.getpid()}"
        hidden.bind("\0" + name)
        hidden.listen()
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            server.accept()[0].close()
        program = (
            "import socket\n"
            f"for family, address in ((socket.AF_INET, ('127.0.0.1', {port})), (socket.AF_UNIX, '\\0{name}')):\n"
            "    s = socket.socket(family); s.settimeout(2)\n"
            "    try: s.connect(address); print('REACHED', address)\n"
            "    except OSError as e: print('refused', e)\n"
        )
        session = await opened()
        try:
            await session.files(lambda folder: folder.write("connect.py", program.encode()))
            ran = await session.run(
                f"(exec 3<>/dev/tcp/127.0.0.1/{port} && echo REACHED); {PYTHON} connect.py; cat /proc/net/dev", 20
            )
        finally:
            await session.close()
        interfaces = [line.split(":")[0].strip() for line in ran.output.text.splitlines() if ": " in line]
        if ran.output.text.count("refused") < 2:
            return f"the attack itself failed: {ran}"
        return holds(ran.output.text, "REACHED", "eth0") or holds(" ".join(interfaces), "eth")


@attack
async def fork_bomb():
    session = await opened()
    try:
        bomb = await session.run(":(){ :|:& };:; sleep 20", 1.5)
        if not bomb.timed_out:
            return f"the bomb was not stopped by the clock: {bomb}"
        program = (
            "import os, time\n"
            "made = 0\n"
            "for _ in range(200):\n"
            "    try:\n"
            "        if os.fork() == 0: time.sleep(30); os._exit(0)\n"
            "    except OSError: break\n"
            "    made += 1\n"
            "print('made', made)\n"
        )
        await session.files(lambda folder: folder.write("forks.py", program.encode()))
        after = await session.run(f"{PYTHON} forks.py", 20)
        made = int(after.output.text.split()[-1])
        return None if 0 < made < 40 else f"{made} processes beside each other: {after}"
    finally:
        await session.close()


@attack
async def fill_disk():
    ran = await attempt(
        "for f in /workspace/big /tmp/big /dev/shm/big; do head -c 40M /dev/zero > $f; stat -c %s $f; done 2>/dev/null;"
        "for d in / /dev /etc /usr /usr/bin /proc /var/tmp /run; do touch $d/x 2>/dev/null && echo WROTE $d; done",
        20,
        memory_bytes=256 << 20,
    )
    sizes = [int(line) for line in ran.output.text.split() if line.isdigit()]
    if len(sizes) != 3:
        return f"the attack itself failed: {ran}"
    return holds(ran.output.text, "WROTE") or (f"files of {sizes}" if max(sizes) > 17 << 20 else None)


@attack
async def fill_inodes():
    session = await opened()
    try:
        ran = await session.run("i=0; while [ $i -lt 200000 ]; do : > f$i; i=$((i+1)); done", 20)
        if ran.stopped is None or "files" not in ran.stopped:
            return f"not stopped: {ran}"
    finally:
        await session.close()
    tmp = await attempt("cd /tmp; i=0; while [ $i -lt 200000 ]; do : > f$i; i=$((i+1)); done", 20)
    return None if tmp.stopped and "files" in tmp.stopped else f"not stopped in /tmp: {tmp}"


@attack
async def eat_memory():
    one = await attempt(f"{PYTHON} -c 'x = bytearray(200 << 20); import time; time.sleep(20)'", 20)
    if not (one.stopped and "memory" in one.stopped):
        return f"one process: {one}"
    many = await attempt(
        f"for i in 1 2 3 4; do {PYTHON} -c 'x = bytearray(50 << 20); import time; time.sleep(20)' & done; wait", 20
    )
    if not (many.stopped and "memory" in many.stopped):
        return f"several processes: {many}"
    hidden = await attempt(
        f'{PYTHON} -c "import ctypes, os; l = ctypes.CDLL(None, use_errno=True)\n'
        "print(l.memfd_create(b'x', 0), l.shmget(0, 1 << 20, 0o1600), l.msgget(0, 0o1600))\"",
        10,
    )
    return None if hidden.output.text.split() == ["-1", "-1", "-1"] else f"memory out of sight: {hidden}"


async def appears(name):
    """Wait for what was started in the background: it may not have been given the processor yet."""
    for _ in range(100):
        if running(name):
            return True
        await asyncio.sleep(0.1)
    return False


@attack
async def outlive_the_trial():
    name = f"98{os.getpid()}.125"
    session = await opened()
    await session.run(f"(setsid nohup sleep {name} &) ; sleep {name} & disown; trap '' HUP TERM; true", 5)
    seen = await appears(name)
    await session.close()
    if not seen:
        return "the attack itself failed: nothing was started"
    return f"{running(name)} outlived the trial" if running(name) else None


@attack
async def outlive_the_harness():
    name = f"97{os.getpid()}.125"
    child = subprocess.Popen([sys.executable, __file__, sys.argv[1], "--hold", name], stdout=subprocess.PIPE, text=True)
    try:
        if child.stdout.readline().strip() != "ready":
            return "the attack itself failed: the child did not open a sandbox"
        seen = await appears(name)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    for _ in range(100):
        if not running(name):
            break
        await asyncio.sleep(0.1)
    if not seen:
        return "the attack itself failed: nothing was started"
    return f"{running(name)} outlived the harness" if running(name) else None


async def hold(name):
    """Be a harness with a sandbox open and a background process in it, until killed."""
    session = await opened()
    await session.run(f"(setsid nohup sleep {name} &) ; sleep {name} & true", 10)
    print("ready", flush=True)
    await session.run(f"sleep {name}", 600)


@attack
async def leave_by_link():
    session = await opened()
    try:
        await session.run(
            "ln -s /etc/shadow file; ln -s /etc folder; ln -s /proc/self/root/etc/shadow magic; "
            "ln -s /proc/self/cwd cwd; "
            "ln -s ../../etc up; echo x > one; ln one two; mkfifo pipe; mkdir sub; ln -s /etc/passwd sub/inner",
            5,
        )

        before = Path("/etc/passwd").read_bytes()
        start = time.monotonic()
        through = await session.files(refused)
        if time.monotonic() - start > 5:
            return "a read blocked"
        if Path("/etc/passwd").read_bytes() != before:
            return "wrote to the host"
        packed = await session.pack(1 << 20)
        if b"root:" in packed.data:
            return "the archive holds a file of the host"
        return f"got through: {through}" if through else None
    finally:
        await session.close()


def refused(folder):
    through = []
    paths = ("file", "folder/shadow", "magic", "cwd/pipe", "up/shadow", "one", "pipe", "sub", "sub/inner")
    for path in (*paths, "/etc/passwd", "../etc/passwd", "sub/../../etc/passwd", "/proc/self/environ"):
        with contextlib.suppress(OSError):
            through.append(f"{path} read: {folder.read(path, 1000)!r}")
        if path == "one":
            continue  # a write makes a new file under that name and leaves the other name alone
        with contextlib.suppress(OSError):
            folder.write(path, b"owned")
            through.append(f"{path} written")
    return through


@attack
async def touch_the_host():
    process = subprocess.Popen(["sleep", "60"])
    try:
        ran = await attempt(
            f"kill -9 {process.pid}; (echo x > /proc/sys/kernel/core_pattern) && echo WROTE; "
            "mount -t tmpfs none /tmp && echo MOUNTED; "
            "unshare -U true && echo UNSHARED; unshare -n true && echo UNSHARED; "
            "chroot / true && echo CHROOTED; hostname x; cat /proc/self/status | grep -E 'Cap(Eff|Prm|Bnd)'",
            10,
        )
        text = ran.output.text
        bad = holds(text, "WROTE", "MOUNTED", "UNSHARED", "CHROOTED")
        if text.count("0000000000000000") != 3:
            bad = bad or f"capabilities: {text}"
        return bad or ("a process of the host was killed" if process.poll() is not None else None)
    finally:
        process.kill()
        process.wait()


CALLS = """
import ctypes, errno, os, platform, socket, struct, sys
l = ctypes.CDLL(None, use_errno=True)
x = platform.machine() == 'x86_64'
def call(*a):
    ctypes.set_errno(0)
    r = l.syscall(*a)
    return 'ok' if r >= 0 else errno.errorcode.get(ctypes.get_errno())
def wants(name, got, *good):
    if got not in good: print('THROUGH', name, got)
wants('keyctl', call(250 if x else 219, 0, -3, 0), 'EPERM')
wants('bpf', call(321 if x else 280, 0, 0, 0), 'EPERM')
wants('perf_event_open', call(298 if x else 241, 0, 0, 0, 0, 0), 'EPERM')
wants('io_uring_setup', call(425, 1, 0), 'EPERM')
wants('ptrace', call(101 if x else 117, 0, 0, 0, 0), 'EPERM')
wants('mount', call(165 if x else 40, 0, 0, 0, 0, 0), 'EPERM')
wants('unshare', call(272 if x else 97, 0x10000000), 'EPERM')
wants('setns', call(308 if x else 268, 0, 0), 'EPERM')
wants('clone newuser', call(56 if x else 220, 0x10000000 | 17, 0, 0, 0, 0), 'EPERM')
wants('clone3', call(435, 0, 0), 'ENOSYS')
wants('vsock', call(41 if x else 198, 40, 1, 0), 'EAFNOSUPPORT')
wants('packet', call(41 if x else 198, 17, 3, 0), 'EAFNOSUPPORT')
wants('alg', call(41 if x else 198, 38, 5, 0), 'EAFNOSUPPORT')
wants('tiocsti', call(16 if x else 29, 0, 0x5412, b'x'), 'EPERM')
wants('tiocsti high bits', call(16 if x else 29, 0, ctypes.c_ulong(0x100005412), b'x'), 'EPERM')
if x: wants('x32 getpid', call(0x40000000 + 39), 'ENOSYS')
os.mkfifo('/tmp/fifo'); socket.socketpair(); socket.socket(socket.AF_INET).close()
if os.fork() == 0: os._exit(0)
os.wait()
if x:
    import mmap, signal
    code = mmap.mmap(-1, 4096, prot=7)
    code.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))
    if os.fork() == 0:
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
        os._exit(0)
    wants('32 bit call', os.WTERMSIG(os.wait()[1]), signal.SIGSYS)
print('finished')
"""


@attack
async def forbidden_calls():
    session = await opened()
    try:
        await session.files(lambda folder: folder.write("calls.py", CALLS.encode()))
        ran = await session.run(f"{PYTHON} calls.py", 20)
        return None if ran.output.text == "finished\n" else ran.output.text[:500]
    finally:
        await session.close()


def running(name):
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                if name.encode() in (place / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(place.name))
            except OSError:
                continue
    return found


async def main(names):
    results = {}
    for name in names:
        results[name] = await asyncio.wait_for(ATTACKS[name](), 120)
    return results


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    if sys.argv[2] == "--hold":
        asyncio.run(hold(sys.argv[3]))
    else:
        assert threading.active_count() == 1
        print(json.dumps(asyncio.run(main(sys.argv[2:]))))
