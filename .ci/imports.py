#!/usr/bin/env python3
"""Fails when modules of a library import each other in a circle.

A module is a file. What a module re-exports is imported by those that use it, from where it is defined.
An import of a parent by its child does not count: they are one unit. Tests are left out.
"""

import re
import sys
from pathlib import Path

TESTS = re.compile(r"^#\[cfg\(test\)\]\n(?:#.*\n)*mod \w+ \{$", re.MULTILINE)
COMMENT = re.compile(r'//[^\n]*|"(?:[^"\\]|\\.)*"', re.DOTALL)
USE = re.compile(r"(?:(pub)(?:\([^)]*\))? )?\buse ([^;]*);")
PATH = re.compile(r"\b(?:crate|super)(?:::\w+)+")


def expand(text):
    """The paths of a `use`: `a::{b, c::d as e}` is a::b and c::d."""
    text = re.sub(r"\s+", " ", text).strip()
    opening = text.find("{")
    if opening < 0:
        return [text.split(" as ")[0].strip()] if text else []
    parts, depth, start = [], 0, opening + 1
    for at in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if (text[at] == "," and depth == 1) or depth == 0:
            parts += expand(text[start:at])
            start = at + 1
        if depth == 0:
            break
    return [text[:opening] + part for part in parts]


class Library:
    """The modules of a crate, by the names in their paths."""

    def __init__(self, root):
        self.sources = {}
        for file in sorted(root.rglob("*.rs")):
            names = file.relative_to(root).with_suffix("").parts
            if names[-1] in ("mod", "lib"):
                names = names[:-1]
            source = TESTS.split(file.read_text())[0]
            self.sources[names] = COMMENT.sub('""', source)
        self.exports = {}
        for module, source in self.sources.items():
            for target in self.uses(module, source, exported=True):
                self.exports[(*module, target[-1])] = target

    def uses(self, module, source, exported):
        """What a module exports, or what it only uses."""
        found = [self.absolute(path, module) for public, paths in USE.findall(source)
                 if bool(public) == exported for path in expand(paths)]
        return [path for path in found if path]

    def absolute(self, path, module):
        """The path from the root of the crate, if it is in the crate."""
        base, names = list(module), [name.strip() for name in path.split("::")]
        if names[0] not in ("crate", "super", "self") and (*module, names[0]) not in self.sources:
            return None
        while names and names[0] in ("crate", "super", "self"):
            first = names.pop(0)
            base = [] if first == "crate" else base[:-1] if first == "super" else base
        return (*base, *names)

    def owner(self, path):
        """The module that has an item."""
        for _ in self.exports:
            path = next((self.exports[path[:n]] for n in range(len(path), 0, -1)
                         if path[:n] in self.exports), path)
            if not any(path[:n] in self.exports for n in range(len(path) + 1)):
                break
        while path not in self.sources:
            path = path[:-1]
        return path

    def imports(self):
        """The modules that each imports, but for its parents and what it only exports."""
        graph = {}
        for module, source in self.sources.items():
            if not module:
                continue
            rest = USE.sub("", source)
            paths = self.uses(module, source, exported=False)
            paths += [path for path in self.uses(module, source, exported=True)
                      if re.search(rf"\b{path[-1]}\b", rest)]
            paths += [self.absolute(path, module) for path in PATH.findall(rest)]
            owners = {self.owner(path) for path in paths}
            graph[module] = {owner for owner in owners if owner != module[:len(owner)]}
        return graph


def circles(graph):
    """The sets of modules of which each reaches the others."""
    reached = {}
    for start in graph:
        reached[start], next_ = set(), [start]
        while next_:
            for module in graph.get(next_.pop(), ()):
                if module not in reached[start]:
                    reached[start].add(module)
                    next_.append(module)
    found = {frozenset(other for other in reached[module] if module in reached.get(other, ()))
             for module in graph if module in reached[module]}
    return sorted(sorted(circle) for circle in found)


def main():
    failed = False
    roots = [Path(root) for root in sys.argv[1:]] or sorted(Path().glob("crates/libs/*/src"))
    for root in roots:
        graph = Library(root).imports()
        for circle in circles(graph):
            failed = True
            print(f"imports: {root}: these modules import each other in a circle:", file=sys.stderr)
            for module in circle:
                targets = sorted("::".join(t) for t in graph[module] if t in circle)
                print(f"    {'::'.join(module)}: {', '.join(targets)}", file=sys.stderr)
    return failed


sys.exit(main())
