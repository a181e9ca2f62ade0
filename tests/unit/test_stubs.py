# SPDX-License-Identifier: MIT
"""stubs/ says what modules/ and module virt in C have: names, parameters, defaults, docstrings."""

import ast
import re
from functools import cache
from types import SimpleNamespace

from virtboard import tools

MODULES, STUBS = (tools.ROOT / "modules", ".py"), (tools.ROOT / "stubs", ".pyi")
PORT = tools.ROOT / "ports" / "riscv"
SPECIAL = ["__init__", "__enter__", "__exit__"]
SPECIAL += ["__aenter__", "__aexit__", "__aiter__", "__anext__"]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def names(side):
    """The public modules of a side, like "vsnd/card"."""
    folder, ending = side
    found = [str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*" + ending)]
    return {name for name in found if not re.match("_(?!_init_)", name.split("/")[-1])}


@cache
def tree(side, name):
    folder, ending = side
    return ast.parse((folder / (name + ending)).read_text())


def value(node, known):
    """What an expression of constants is; ... if it is something else."""
    try:
        return eval(ast.unparse(node), {"__builtins__": {}, "const": int}, known)
    except Exception:
        return ...


@cache
def constants(side, name):
    """{name: value} of a module, with what it imports from its own package."""
    known = {}
    for node in tree(side, name).body:
        if isinstance(node, ast.ImportFrom) and node.level and "/" in name:
            for each in node.names:
                package = name.split("/")[0]
                if node.module is None:
                    theirs = constants(side, f"{package}/{each.name}")
                    known[each.name] = SimpleNamespace(**theirs)
                elif each.name.isupper() and each.name not in ("MMIO", "PCM"):  # classes
                    theirs = constants(side, f"{package}/{node.module}")
                    known |= {key: n for key, n in theirs.items() if key == each.name}
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = value(node.value, known)
        elif isinstance(node, ast.AnnAssign):
            known[node.target.id] = value(node.value, known) if node.value else ...
    return known


def signature(function, known):
    """A function as text: decorators, names and kinds of parameters, values of defaults."""
    a = function.args
    plain = a.posonlyargs + a.args
    defaults = [None] * (len(plain) - len(a.defaults)) + a.defaults
    words = []
    for one, default in [*zip(plain, defaults), *zip(a.kwonlyargs, a.kw_defaults)]:
        if a.kwonlyargs and one is a.kwonlyargs[0] and not a.vararg:
            words.append("*")
        words.append(one.arg + (f"={value(default, known)!r}" if default else ""))
    words += [f"*{a.vararg.arg}"] if a.vararg else []
    words += [f"**{a.kwarg.arg}"] if a.kwarg else []
    marks = [ast.unparse(each) for each in function.decorator_list]
    marks = ["@" + mark for mark in marks if mark != "overload"]
    kind = "async def" if isinstance(function, ast.AsyncFunctionDef) else "def"
    return " ".join([*marks, kind, f"({', '.join(words)})"])


def described(node):
    """The docstring, if there is one."""
    doc = ast.get_docstring(node)
    return (doc.strip(),) if doc else ()


def members(cls, known):
    """{name: (what it is, docstring)} of a class: methods, and what methods set on self."""
    found = {}
    for node in cls.body:
        if isinstance(node, FUNCTIONS):
            if not node.name.startswith("_") or node.name in SPECIAL:
                found[node.name] = (signature(node, known), *described(node))
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            found[target.id] = ("attribute",)
    for node in ast.walk(cls):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if getattr(node.value, "id", "") == "self" and not node.attr.startswith("_"):
                found.setdefault(node.attr, ("attribute",))
    return found


def fields_of(node, known):
    """The fields, if an assignment makes a namedtuple; else none."""
    if isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "namedtuple":
        fields = value(node.value.args[1], known)
        return fields.split() if isinstance(fields, str) else fields
    return ()


def outline(side):
    """{"vsnd/card: Card.output": (what it is, docstring)} of everything public."""
    found, bases, types = {}, {}, {}
    for name in names(side):
        known = constants(side, name)
        for node in tree(side, name).body:
            if isinstance(node, FUNCTIONS):
                found.setdefault((name, node.name), (signature(node, known), *described(node)))
            elif isinstance(node, ast.ClassDef):
                types[node.name] = (name, members(node, known))
                bases[node.name] = [ast.unparse(base) for base in node.bases]
                is_tuple = bases[node.name] == ["NamedTuple"]
                found[name, node.name] = ("namedtuple" if is_tuple else "class", *described(node))
            elif isinstance(node, ast.Assign) and fields_of(node, known):
                fields = {field: ("attribute",) for field in fields_of(node, known)}
                types[node.targets[0].id] = (name, fields)
                found[name, node.targets[0].id] = ("namedtuple",)
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                if isinstance(target, ast.Name):
                    number = known[target.id]
                    shown = number if isinstance(number, (int, str)) else "a value"
                    found.setdefault((name, target.id), (f"constant {shown}",))
    for cls, (name, own) in types.items():
        above = {each for base in bases.get(cls, ()) for each in types.get(base, (0, {}))[1]}
        for each, what in own.items():
            if what != ("attribute",) or each not in above:
                found[name, f"{cls}.{each}"] = what
    return {
        f"{name}: {each}": what
        for (name, each), what in found.items()
        if not each.startswith("_") or each.startswith("_Wave")
    }


def expected():
    """The outline of modules/, with what no look at the syntax finds."""
    found = outline(MODULES)
    # vsnd/__init__ makes a constant of each format, Control finds the fields of Info.
    for number, each in enumerate(constants(MODULES, "vsnd/protocol")["FORMATS"]):
        found[f"vsnd/__init__: {each[0]}"] = (f"constant {number}",)
    for each in [key for key in found if key.startswith("vsnd/ctl_info: Info.")]:
        found["vsnd/controls: Control." + each.split(".")[1]] = ("attribute",)
    return found


def test_each_module_has_a_stub():
    assert names(STUBS) - {"virt"} == names(MODULES)


def test_names_parameters_and_defaults():
    have = {key: what[0] for key, what in outline(STUBS).items() if not key.startswith("virt:")}
    want = {key: what[0] for key, what in expected().items()}
    assert have == want


def test_docstrings_begin_as_in_the_module():
    modules = expected()
    for key, what in outline(STUBS).items():
        for doc in what[1:]:
            if not key.startswith("virt:"):
                assert (modules[key][1] + "\n\n").startswith(doc + "\n\n"), key
    for name in names(STUBS) - {"virt"}:
        (full,), (short,) = described(tree(MODULES, name)), described(tree(STUBS, name))
        assert (full + "\n\n").startswith(short + "\n\n"), name


def arguments(function):
    """How many arguments a function takes: least and most, None for any number."""
    a = function.args
    most = len(a.posonlyargs)
    assert not a.args, f"{function.name}: C functions take positional arguments"
    return most - len(a.defaults), None if a.vararg else most


def test_virt():
    source = "".join(path.read_text() for path in PORT.glob("*virt*.c"))
    have = set(re.findall(r"{ MP_ROM_QSTR\(MP_QSTR_(\w+)\), MP_ROM_(?:PTR\(&virt_|INT)", source))
    stub = tree(STUBS, "virt")
    functions = [node for node in stub.body if isinstance(node, ast.FunctionDef)]
    constants_ = {key: n for key, n in constants(STUBS, "virt").items() if not key.startswith("_")}
    assert have == {each.name for each in functions} | constants_.keys()

    macros = re.findall(r"CONST_FUN_OBJ_(\w+)\((?:virt_)(\w+)_obj, ([^)]*)\)", source)
    assert {name for _, name, _ in macros} == have - constants_.keys()
    for kind, name, rest in macros:
        counts = [int(word) for word in rest.split(", ")[:-1]]
        least, most = (counts + [None])[:2] if counts else (int(kind), int(kind))
        takes = [arguments(each) for each in functions if each.name == name]
        assert min(each[0] for each in takes) == least, name
        if kind != "KW":
            assert max(each[1] or 99 for each in takes) == (most or 99), name
        words = {one.arg for f in functions if f.name == name for one in f.args.kwonlyargs}
        assert bool(words) == (kind == "KW"), name
        assert all(f"NEW_QSTR(MP_QSTR_{word})" in source for word in words), name

    board = (tools.ROOT / "boards" / "qemu_virt" / "board.h").read_text()
    for name, number in constants_.items():
        if number is not ...:
            assert int(re.search(rf"#define {name} +\((\w+)\)", board)[1], 0) == number
