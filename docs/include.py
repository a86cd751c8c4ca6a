"""Keeps the guide true: code in it comes from the tree, and links lead somewhere.

    python docs/include.py            # write the code anew
    python docs/include.py --check    # fail if it is not what the tree has, or a link is dead

`<!-- include PATH NAME -->` before a block of code names a function, class, trait, type or test by
its name, or a case by its title; a path alone is the whole file.
"""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
INCLUDE = re.compile(r"<!-- include (\S+)(?: (.+?))? -->\n```(\w+)\n.*?```\n", re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def python(source: str, name: str) -> str | None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and node.name == name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            return "\n".join(source.splitlines()[first - 1 : node.end_lineno])
    return None


def rust(source: str, name: str) -> str | None:
    lines = source.splitlines()
    kinds = r"(pub(\(.*?\))? )?(async )?(fn|struct|enum|trait|type|impl)"
    item = re.compile(rf"\s*{kinds} {re.escape(name)}\b")
    for start, line in enumerate(lines):
        if not item.match(line):
            continue
        indent = line[: len(line) - len(line.lstrip())]
        first = start
        while first and re.match(rf"{indent}(///|#\[)", lines[first - 1]):
            first -= 1
        last = start
        while not re.match(rf"{indent}(\}}|\S.*;$|\S.*\}}$)", lines[last]):
            last += 1
        return "\n".join(line.removeprefix(indent) for line in lines[first : last + 1])
    return None


def yaml(source: str, name: str) -> str | None:
    for case in re.split(r"(?m)^(?=- )", source):
        if case.startswith((f"- name: {name}\n", f"- case: {name}\n")):
            return case.rstrip()
    return None


def code(path: str, name: str | None) -> str:
    source = (ROOT / path).read_text()
    if name is None:
        return source.rstrip()
    find = {".py": python, ".rs": rust, ".yaml": yaml}[Path(path).suffix]
    found = find(source, name)
    if found is None:
        sys.exit(f"docs: {path} has no '{name}'")
    return found


def written(text: str) -> str:
    def block(match: re.Match[str]) -> str:
        path, name, language = match.groups()
        head = f"<!-- include {path}{f' {name}' if name else ''} -->"
        return f"{head}\n```{language}\n{code(path, name)}\n```\n"

    return INCLUDE.sub(block, text)


def dead_links(page: Path) -> list[str]:
    links = LINK.findall(page.read_text())
    # rustdoc checks its own.
    links = [link for link in links if "://" not in link and "crate::" not in link]
    return [link for link in links if not (page.parent / link).exists()]


def main() -> None:
    check = "--check" in sys.argv
    errors = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        text = page.read_text()
        if text != written(text):
            if check:
                errors.append(f"{page.name}: code is not what the tree has; run `make docs`")
            else:
                page.write_text(written(text))
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "k8s").glob("*.md")]
    pages += [*(ROOT / "crates").glob("**/*.md"), ROOT / "python-legacy/README.md"]
    for page in pages:
        errors += [f"{page.relative_to(ROOT)}: {link} leads nowhere" for link in dead_links(page)]
    if errors:
        sys.exit("\n".join(errors))


if __name__ == "__main__":
    main()
