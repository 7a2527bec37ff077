"""`python -m tobiishi.local`: the same as `tobiishi run`."""

import asyncio
import os
import sys

from tobiishi.errors import SettingError
from tobiishi.local.run import run
from tobiishi.settings import Settings


def main() -> int:
    try:
        return asyncio.run(run(Settings.load()))
    except SettingError as error:
        print("\n".join(f"tobiishi: {line}" for line in str(error).splitlines()), file=sys.stderr)
        return 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # A process that used the Temporal SDK and ends at once may crash in the interpreter's own end
    # (https://github.com/temporalio/sdk-python/issues/300).
    os._exit(code)
