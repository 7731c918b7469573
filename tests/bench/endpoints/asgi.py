"""An ASGI application in this process: no server and no socket stand before it."""

import asyncio
import atexit
from typing import Any

Message = dict[str, Any]


class Application:
    """Starts the application once; `post` hands it a JSON body and gives the answer's bytes."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._started: asyncio.Queue[Message] = asyncio.Queue()
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._lifespan = self._loop.create_task(
            app(scope, self._inbox.get, self._started.put), name="lifespan"
        )
        told = self._loop.run_until_complete(self._start())
        assert told["type"] == "lifespan.startup.complete", told
        atexit.register(self._stop)

    async def _start(self) -> Message:
        await self._inbox.put({"type": "lifespan.startup"})
        return await self._started.get()

    def _stop(self) -> None:
        self._inbox.put_nowait({"type": "lifespan.shutdown"})
        self._loop.run_until_complete(self._lifespan)
        self._loop.close()

    def post(self, path: str, body: bytes) -> bytes:
        """Ask once; AssertionError where the answer is no success."""
        return self._loop.run_until_complete(self._post(path, body))

    async def _post(self, path: str, body: bytes) -> bytes:
        over, waiting = asyncio.Event(), [{"type": "http.request", "body": body}]
        status, parts = 0, []

        async def receive() -> Message:
            if not waiting:
                await over.wait()  # the client stays until it has its answer
                return {"type": "http.disconnect"}
            return waiting.pop()

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            parts.append(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                over.set()

        await self._app(_scope(path, body), receive, send)
        answer = b"".join(parts)
        assert status == 200, (status, answer)
        return answer


def _scope(path: str, body: bytes) -> Message:
    headers = [
        (b"host", b"localhost"),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "method": "POST", "scheme": "http", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "state": {},
    }  # fmt: skip
