"""The JSON Schema of scenario files, for editors.

`python -m tobiishi.scenario.schema > docs/scenario.schema.json` writes the one in `docs/`.
"""

from __future__ import annotations

import json
import sys

from tobiishi.scenario.model import json_schema


def as_text() -> str:
    """The schema as its file holds it."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_text())
