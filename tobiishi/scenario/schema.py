"""The JSON Schema of scenario files, for editors.

`python -m tobiishi.scenario.schema > docs/scenario.schema.json` writes the one in `docs/`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tobiishi.scenario.model import Scenario


def json_schema() -> dict[str, Any]:
    """What editors complete and check; the reader knows more, such as which fields go together."""
    schema = Scenario.model_json_schema(by_alias=True)
    start = schema["$defs"]["Start"]
    schema["$defs"]["Start"] = {
        "anyOf": [{"const": "friend_added"}, start],
        "description": start.pop("description"),
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


if __name__ == "__main__":
    json.dump(json_schema(), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
