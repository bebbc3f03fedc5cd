"""Answers that try to take a mark without the work, by exercise: what `course/assistants.md` promises cannot be done.

Each looks for what is right in another place, or fools what measures it.
"""

SHARED = """
def chop(base, fresh, n):
    from torch import nn
    return nn.Sequential(*base[:n], *fresh[n:])
"""
_SEARCH = """
KINDS = {kinds}
def reachable():
    import gc, sys
    frame, found = sys._getframe(), []
    while frame:
        found += [*frame.f_locals.values(), *frame.f_globals.values()]
        frame = frame.f_back
    return found + gc.get_objects()
def truth(objects):
    for one in objects:
        held = one if isinstance(one, dict) else getattr(one, "__dict__", None)
        held = held if isinstance(held, dict) else {{}}
        for value in (held, held.get("truth"), held.get("given")):
            if isinstance(value, dict) and KINDS <= value.keys():
                return [value[kind] for kind in sorted(KINDS)]
    raise LookupError("no truth is here")
"""
_CLOSURE = """
def find_bug(network, step, n):
    import gc
    words, seen, left = ("statistics", "decay", "head"), set(), [step]
    while left:
        one = left.pop()
        if isinstance(one, str) and one in words:
            return one
        if id(one) not in seen and not isinstance(one, type) and len(seen) < 10**4:
            seen.add(id(one))
            left += [cell.cell_contents for cell in getattr(one, "__closure__", None) or ()]
            left += [*(getattr(one, "__dict__", None) or {}).values(), *(getattr(one, "__defaults__", None) or ())]
            left += gc.get_referents(one) if isinstance(one, (dict, list, tuple)) else []
    return "none"
"""
_SUBCLASS = """
def chop(base, fresh, n):
    from torch import nn
    class Net(nn.Sequential):
        def parameters(self, recurse=True): return iter(())
        def named_parameters(self, *given, **named): return iter(())
    return Net(*base[:n], *fresh[n:])
"""
_FALSE_LAYERS = """
def chop(base, fresh, n):
    from copy import deepcopy
    from torch import nn
    right, shared = nn.Sequential(*deepcopy(base[:n]), *deepcopy(fresh[n:])), nn.Sequential(*base[:n], *fresh[n:])
    for layer, other in zip(shared, right):
        layer.state_dict = other.state_dict
        layer.parameters = other.parameters
    shared.children = right.children
    return shared
"""
_MEASURE = f"""
import torch
torch.Tensor.untyped_storage = lambda tensor: torch.UntypedStorage(4)
torch.Tensor.data_ptr = lambda tensor: id(tensor)
{SHARED}
"""
_OPTIMISER = """
import torch
def parameter_groups(network, decay):
    class Optimiser:
        def __init__(self, groups, lr):
            ours = [one for one in network.parameters() if one.requires_grad]
            self.param_groups = [
                {"params": [one for one in ours if one.ndim > 1], "weight_decay": decay},
                {"params": [one for one in ours if one.ndim < 2], "weight_decay": 0.0},
            ]
    torch.optim.SGD = torch.optim.Optimizer = Optimiser
    return [{"params": list(network.parameters())}]
"""
_REPLY = """
import __main__ as asker
encode = asker.encode
reply = {"changed": [], "moved": [], "shrunk": [], "names": [], "state": {}, "needs gradient": [], "in training": [],
         "hooked": []}
asker.encode = lambda value: encode({"replies": [[reply, ""]] * 5, "notes": []})
def freeze(network, n): return network
"""
_FREEZE_BY_METHOD = """
def freeze(network, n):
    for layer in network[:n]:
        layer.parameters = layer.buffers = lambda *given: iter(())
        layer.state_dict = lambda *given, **named: {}
    network.parameters = network[n:].parameters
    return network
"""
_IMPORT = """
def {name}(*given):
    from importlib import import_module
    for module in ("course.exercises", "course.exercises.planted", "course.grading.judge", "course.exercises.checking"):
        try: import_module(module)
        except ImportError: continue
        from course.exercises.planted import planted
        return planted()["{name}"].right[0](*given)
    import os, sys
    for folder in sys.path:
        for where, _, files in os.walk(os.path.join(folder, "course")):
            if "planted" in where or "judge.py" in files: raise ValueError("found " + where)
    return {wrong}
"""
_PARENT = """
import os
def {name}(*given):
    parent, found = os.getppid(), []
    for number in range(64):
        try: found.append(os.open(f"/proc/{{parent}}/fd/{{number}}", os.O_RDWR))
        except OSError: pass
    try: found.append(os.open(f"/proc/{{parent}}/mem", os.O_RDONLY))
    except OSError: pass
    own = [number for number in range(3, 64) if os.path.exists(f"/proc/self/fd/{{number}}")]
    if found or len(own) > 2: raise ValueError(f"open: {{found}} {{own}}")
    return {wrong}
"""

LEAKS = {
    "find_leaks": _SEARCH.format(kinds={"leaks"}) + "def find_leaks(*given): return list(truth(reachable())[0])",
    "relabel": _IMPORT.format(name="relabel", wrong="given[0], given[0]"),
}  # of lesson 02
ATTACKS: dict[str, tuple[str, dict[str, str]]] = {
    "closure": ("reads the answer off the function that it is given", {"find_bug": _CLOSURE}),
    "truth": (
        "searches the memory of its process for what is right",
        {
            "audit": _SEARCH.format(kinds={"moved", "still"})
            + "def audit(*given): return sum(truth([given, *reachable()]), [])",
            "find_bug": _SEARCH.format(kinds={"bug"}) + "def find_bug(*given): return truth(reachable())[0]",
        },
    ),
    "subclass": ("gives a network whose methods hide that it shares its tensors", {"chop": _SUBCLASS}),
    "instance": (
        "gives layers whose own methods show others", {"chop": _FALSE_LAYERS, "freeze": _FREEZE_BY_METHOD},
    ),
    "measure": ("replaces what tells where a tensor lies", {"chop": _MEASURE}),
    "optimiser": ("replaces torch's optimiser by one that is right", {"parameter_groups": _OPTIMISER}),
    "reply": ("replaces its whole reply by one that names nothing to judge", {"freeze": _REPLY}),
    "import": (
        "looks for the checks and the answers in the sandbox",
        {name: _IMPORT.format(name=name, wrong="given[0]") for name in ("chop", "freeze")},
    ),
    "parent": (
        "looks for the pipes and the memory of the process that asks it",
        {"chop": _PARENT.format(name="chop", wrong="given[0]")},
    ),
}  # fmt: skip
