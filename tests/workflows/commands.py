"""What each workflow asks of Temporal, in the order of its source.

`python -m tests.workflows.commands` writes it down, for `test_commands.py` to compare.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

WORKFLOWS = Path(__file__).parents[2] / "workflows"
WRITTEN = Path(__file__).with_name("commands.json")

#: The functions of `temporalio.workflow` that leave something in a history, or tell what does.
COMMAND = re.compile(
    r"(start|execute)_(local_)?activity\w*|(start|execute)_child_workflow|get_external_\w+"
    r"|sleep|wait_condition|patched|deprecate_patch|continue_as_new|upsert_\w+"
)


def commands() -> dict[str, list[str]]:
    """Of each workflow class, its methods' commands: `take_step: start_activity_method(x)`."""
    found = {}
    for file in sorted(WORKFLOWS.glob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and any(map(_is_workflow, node.decorator_list)):
                found[f"{file.stem}.{node.name}"] = [
                    f"{method.name}: {command}"
                    for method in node.body
                    if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
                    for command in _commands_of(method)
                ]
    return found


def _is_workflow(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(called) == "workflow.defn"


def _commands_of(method: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """In the order of the source. The methods of its own that it calls are told, too."""
    calls = [node for node in ast.walk(method) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        match call.func:
            case ast.Attribute(value=ast.Name(id="workflow"), attr=name) if COMMAND.fullmatch(name):
                # What it is about: an activity or a patch; a condition is no command by itself.
                about = call.args[:1] if name != "wait_condition" else []
                timed = name == "wait_condition" and any(
                    keyword.arg == "timeout" for keyword in call.keywords
                )
                yield f"{name}({', '.join(map(ast.unparse, about))}{'timeout' if timed else ''})"
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                yield f"self.{name}()"
            case _:
                pass


if __name__ == "__main__":
    WRITTEN.write_text(json.dumps(commands(), indent=2) + "\n", encoding="utf-8")
