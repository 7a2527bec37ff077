"""`tobiishi run` without the examples, whose messages are unexpected here.

`python -m tobiishi.chaos.run [WORKER]`, where WORKER is the program of a worker to try.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

from tobiishi.local.run import Programs, run
from tobiishi.settings import Settings

if __name__ == "__main__":
    programs = Programs(examples=Path(os.devnull))
    if sys.argv[1:]:
        programs = replace(programs, worker=(sys.executable, sys.argv[1]))
    code = asyncio.run(run(Settings.load(), programs))
    sys.stdout.flush()
    os._exit(code)  # As in `tobiishi run`: the Temporal SDK's threads may abort an ordinary exit.
