"""Programs that behave as the worker, the starter and the simulator do at the door.

`python stand_ins.py run` runs everything with them; `… worker|starter|simulator` is one of them.
"""

import asyncio
import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[3]


class Starter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        retired = [{"scenario": "retired"}]
        self.answer(retired if self.path.startswith("/api/scenarios") else {"database": "ok"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        assert self.headers["Authorization"] == f"Bearer {os.environ['TOBIISHI_API_TOKEN']}"
        if body.startswith("wrong"):
            self.answer({"detail": "line 1: no such field"}, 422)
        else:
            self.answer({"scenario": body.strip(), "version": 1, "unchanged": False})

    def answer(self, content: object, status: int = 200) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())


def serve(port: int) -> None:
    ThreadingHTTPServer(("127.0.0.1", port), Starter).serve_forever()


def main() -> None:
    part = sys.argv[1]
    if part == "run":
        from tobiishi.errors import SettingError
        from tobiishi.local.run import Programs, run
        from tobiishi.settings import Settings

        def stand_in(part: str) -> tuple[str, ...]:
            return (sys.executable, str(Path(__file__).resolve()), part)

        programs = Programs(
            worker=stand_in("worker"),
            starter=stand_in("starter"),
            simulator=stand_in("simulator"),
            examples=Path(os.environ["EXAMPLES"]),
        )
        try:
            code = asyncio.run(run(Settings.load(), programs))
        except SettingError as error:
            sys.exit(f"tobiishi: {error}")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # as the command does: see `tobiishi.cli`
    how = os.environ.get(f"STAND_IN_{part.upper()}")
    if how == "fail":
        sys.exit(f"the {part} fails on purpose")
    if how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    names = ("DATABASE_URL", "TEMPORAL_ADDRESS", "LINE_CHANNEL_ACCESS_TOKEN", "LINE_API_BASE_URL")
    print(part, json.dumps({name: os.environ.get(name) for name in names}))
    if part == "worker":
        print("worker ready")
        time.sleep(600)
    elif part == "starter":
        serve(int(os.environ["TOBIISHI_PORT"]))
    else:
        serve(int(sys.argv[2].removeprefix("--port=")))


if __name__ == "__main__":
    main()
