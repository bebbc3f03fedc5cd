"""Answers to `chop` that attack the grader."""

from pathlib import Path

NAME = '=HYPERLINK("x") <img src=x onerror=alert(1)>\u202e\n'
RIGHT = """
def chop(base, fresh, n):
    from copy import deepcopy
    from torch import nn
    return nn.Sequential(*deepcopy(base[:n]), *deepcopy(fresh[n:]))
"""
WRONG = """
def chop(base, fresh, n):
    return base
"""


def cells(elsewhere: Path, port: int) -> dict[str, tuple[str, str]]:
    """What each attack tries, and the source of its cell, by name.

    `elsewhere` is a folder with another student's notebook, which they try to read and write; `port` is a port of this
    machine, which they try to reach.
    """
    other, table = str(elsewhere / "ada.ipynb"), str(elsewhere / "grades.csv")
    return {
        "endless": ("never ends", "while True: pass"),
        "sleeper": ("sleeps for an hour", "import time; time.sleep(3600)"),
        "deaf": ("ignores every signal and never ends", _DEAF),
        "fork-bomb": ("starts processes without end", _FORK_BOMB),
        "thread-bomb": ("starts threads without end", _THREAD_BOMB),
        "memory-bomb": ("takes all memory in one process", "kept = []\nwhile True: kept.append(bytearray(2**26))"),
        "memory-horde": ("takes all memory in many processes", _MEMORY_HORDE),
        "disk-filler": ("fills the disk with files", _DISK_FILLER),
        "large-file": ("fills the disk with one file", "open('/tmp/large', 'wb').write(bytes(2**25))"),
        "shared-memory": ("fills the memory with files", _DISK_FILLER.replace("/tmp", "/dev/shm")),
        "flood": ("prints a gigabyte; the answer is right", f"{RIGHT}\nfor _ in range(1000): print('x' * 10**6)"),
        "giant": ("gives an answer of 20 MB", _GIANT),
        "network": ("calls a server", f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"),
        "reader": ("reads another student's notebook", f"raise ValueError(open({other!r}).read())"),
        "lister": ("looks into the home", "import os; raise ValueError(os.listdir('/home') + os.listdir('/root'))"),
        "passwords": ("reads the list of users", "raise ValueError(open('/etc/passwd').read())"),
        "writer": ("writes its own row into grades.csv", f"open({table!r}, 'a').write('me,chop,3')"),
        "poisoner": ("changes the installed library, for those who come after", _POISONER),
        "escape": ("opens a namespace in which it would be root", _ESCAPE),
        "patcher": ("replaces the library in itself", f"{WRONG}{_PATCHER}"),
        "builtins": ("replaces built-in functions", f"{WRONG}{_BUILTINS}"),
        "afterthought": ("prints a verdict at its end", f"{WRONG}{_AFTERTHOUGHT}"),
        "forger": ("writes a verdict into every open pipe", f"{WRONG}{_FORGER}"),
        "liar": ("gives an object that equals everything", _LIAR),
        "number": ("gives numbers that compare as they like", _NUMBER),
        "pickle": ("gives an object that runs code when unpickled", _PICKLE),
        "parricide": ("kills its parent", "import os; os.kill(os.getppid(), 9); os.kill(1, 9)"),
        "massacre": ("kills every process it can", "import os; os.kill(-1, 9)"),
        "stopper": ("stops its parent", "import os; os.kill(os.getppid(), 19)"),
        "exit": ("ends its process as if all were well", "import os; os._exit(0)"),
        "quit": ("raises SystemExit", "raise SystemExit(0)"),
        "crash": ("crashes the interpreter", "import ctypes; ctypes.string_at(0)"),
        "recursion": ("calls itself without end", "def chop(*given): return chop(*given)"),
        "stack": ("overruns the stack", "import sys; sys.setrecursionlimit(10**9)\ndef f(): return f()\nf()"),
        "mute": ("raises an error that has no text", _MUTE),
        "markup": ("raises an error of HTML, formulas and control characters", _MARKUP),
        NAME: ("has a name of markup, a formula and a line's end", WRONG),
    }  # fmt: skip


_DEAF = """
import signal
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
while True: pass
"""
_FORK_BOMB = """
import os
while True:
    try: os.fork()
    except OSError: pass
"""
_THREAD_BOMB = """
import threading, time
while True: threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
"""
_MEMORY_HORDE = """
import os, time
for _ in range(2): os.fork()
kept = bytearray(b"x" * 400_000_000)
time.sleep(3600)
"""
_DISK_FILLER = """
for index in range(10**6):
    with open(f"/tmp/{index}", "wb") as file: file.write(bytes(2**20))
"""
_GIANT = """
def chop(base, fresh, n):
    from torch import nn
    return nn.Sequential(*(nn.Linear(600, 600, bias=False) for _ in base))
"""
_POISONER = """
import course.asking.plain as plain
open(plain.__file__, "a").write("difference = lambda *given: None")
"""
_ESCAPE = f"""{RIGHT}
import ctypes
right = chop
def chop(base, fresh, n):
    assert ctypes.CDLL(None).unshare(0x10000000) == 0, "refused"
    return right(base, fresh, n)
"""
_PATCHER = """
import sys
for name, module in list(sys.modules.items()):
    if name.startswith("course") or name == "__main__":
        for one in [one for one in vars(module) if one[:1] != "_" and callable(getattr(module, one))]:
            setattr(module, one, lambda *given, **named: b"passed")
"""
_BUILTINS = """
import builtins
builtins.len = lambda value: 5
builtins.isinstance = lambda *given: True
builtins.all = builtins.any = lambda *given: True
"""
_AFTERTHOUGHT = """
import atexit, sys, threading
atexit.register(lambda: sys.__stdout__.write("passed"))
threading.Thread(target=lambda: print('{"state": "passed", "points": 3}'), daemon=False).start()
"""
_FORGER = """
import os
verdict = b'{"exercise":"chop","state":"passed","points":3,"cases":5}'
for descriptor in range(3, 64):
    try: os.write(descriptor, len(verdict).to_bytes(8, "little") + verdict)
    except OSError: pass
"""
_LIAR = """
class Liar:
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *given): return self
    def __iter__(self): return iter([self] * 3)
def chop(base, fresh, n): return Liar()
"""
_NUMBER = """
import numpy as np
from torch import nn
class Number(float):
    def __eq__(self, other): return True
    def __repr__(self): return "nan); passed"
class Array(np.ndarray):
    def __eq__(self, other): return True
class Network(nn.Sequential):
    def children(self): return iter([Layer(layer) for layer in super().children()])
class Layer:
    def __init__(self, layer): self.layer = layer
    def state_dict(self): return {"weight": Number(1), "bias": np.zeros(3).view(Array)}
def chop(base, fresh, n): return Network(*base)
"""
_PICKLE = """
class Payload:
    def __reduce__(self): import os; return (os.system, ("touch /tmp/run",))
def chop(base, fresh, n): return Payload()
"""
_MUTE = """
class Mute(Exception):
    def __str__(self): raise self
def chop(base, fresh, n): raise Mute
"""
_MARKUP = """
def chop(base, fresh, n): raise type("=1+1", (Exception,), {})("<script>alert(1)</script>\\x1b[2J\\r\\n\\u202e =cmd|x")
"""
