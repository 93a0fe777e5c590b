"""A small demo page with the real service worker, on a host that can be told to misbehave."""

import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from _fastpages import offline
from _fastpages.versions import versioned

PAGE, WORKER, STYLE = "/site/demo/", "/site/demo/sw.js", "/site/assets/main.css"
HTML = """<!DOCTYPE html>
<title>no script</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{style}">
<p id="build">{build}</p>
<script type="application/json">{{"base": "{page}"}}</script>
<link rel="modulepreload" href="/site/demo/made/{part}">
<script type="module" src="/site/demo/made/{script}"></script>
"""


@dataclass
class Answer:
    """What the host says at one address."""

    content: bytes
    type: str = "text/html"
    status: int = 200
    headers: dict = field(default_factory=dict)
    sent: int | None = None  # bytes after which the connection breaks


class Host(BaseHTTPRequestHandler):
    """Answers out of `server.answers`; an answer under None stands for every address."""

    protocol_version = "HTTP/1.1"

    def handle(self):
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self):
        answers = self.server.answers
        self.server.asked.append(self.path)
        answer = (
            answers.get(None)
            or answers.get(self.path)
            or answers.get(self.path.partition("?")[0])
            or Answer(b"nothing", status=404)
        )
        self.send_response(answer.status)
        for name, value in {
            "Content-Type": answer.type,
            "Content-Length": str(len(answer.content)),
            **answer.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content[: answer.sent])
        self.close_connection = answer.sent is not None

    def log_message(self, *args):
        pass


class Site:
    """The host's address, what it answers, and what it was asked for."""

    def __init__(self, server, folder: Path):
        self.server, self.folder, self.answers = server, folder, server.answers
        self.address = f"http://127.0.0.1:{server.server_port}"

    def publish(self, build: str) -> None:
        """A page with two scripts and a style sheet that name the build, made as the real build makes them."""
        part = f'export const part = "{build}";'.encode()
        read = f'import {{ part }} from "./{versioned("part.js", part)}";'
        script = f"{read} document.title = `script {build}, part ${{part}}`;".encode()
        page = HTML.format(
            build=build,
            page=PAGE,
            style=STYLE,
            part=versioned("part.js", part),
            script=versioned("page.js", script),
        )
        files = {
            "demo/index.html": page.encode(),
            "assets/main.css": f"/* {build} */".encode(),
            "demo/made/part.js": part,
            "demo/made/page.js": script,
        }
        for name, content in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content)
        offline.main(self.folder)
        types = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
        self.answers.clear()
        for name in [*files, "demo/sw.js"]:
            self.answers[f"/site/{name.removesuffix('index.html')}"] = Answer(
                (self.folder / name).read_bytes(), types[Path(name).suffix]
            )

    @property
    def asked(self) -> list:
        return self.server.asked

    def named(self, script: str) -> str:
        """The address of a script of the published build, hash and all."""
        return f"/site/demo/made/{versioned(script, (self.folder / 'demo' / 'made' / script).read_bytes())}"


@contextmanager
def host(folder: Path):
    """A `Site` on this machine, for as long as the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.daemon_threads, server.answers, server.asked = True, {}, []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield Site(server, folder)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
