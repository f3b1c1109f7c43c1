"""One connection of a browser or a reader: uvicorn's own, which first looks whether the answer lies ready.

Whoever sends a request without end, or never finishes one, is let go: this process also releases warnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from geowarn.web.ready import ReadyAnswers, status_line

if TYPE_CHECKING:
    from asyncio import TimerHandle, Transport

LARGEST_HEAD = 64 * 1024  # bytes of a request that are not its body; h11 stops there as well
LONGEST_HEAD = 20.0  # seconds from the first byte of a request, or from a connection, to the end of its head
MOST_CONNECTIONS = 800  # a process may often open no more than 1,024 files, and publishing needs some


class Connection(HttpToolsProtocol):
    """Answers what is ready at once, in the order of the requests; all else goes the way of the application."""

    ready: ReadyAnswers  # set by `connections_with`
    _answered = False
    _outside = 0  # bytes read since the last request ended, those of bodies left out
    _unfinished = True  # whether the head of a request is still to come
    _patience: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Somebody has come; where too many are here already they are told to come again."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._let_go(503, b"Too many connections; try again in a moment.")
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """They have gone."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of a request, or of several."""
        self._outside += len(data)
        super().data_received(data)
        if self._outside > LARGEST_HEAD:
            self._let_go(431, b"The head of the request is too long.")
        elif self._unfinished:
            self._wait()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._answered, self._unfinished = False, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is read: nothing of a plain GET follows."""
        self._unfinished = False
        self._wait_no_longer()
        self._unset_keepalive_if_required()  # the ready answer before it in the same packet may have set it
        waits = self.pipeline or self._answering()
        if not waits and not self.flow.write_paused and self._plain():
            found = self.ready.find(self.parser.get_method(), self.url, self.headers)
            if found is not None:
                self._answer(*found)
                return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of what somebody sends; how much of it is taken is for the application to say."""
        self._outside -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is over."""
        self._outside = 0
        if not self._answered:
            super().on_message_complete()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _plain(self) -> bool:
        return self.parser.get_http_version() == "1.1" and self.parser.should_keep_alive()

    def _answer(self, status: int, rest: bytes) -> None:
        self._answered = True
        self.transport.write(self.ready.opening(status, self.server_state.default_headers) + rest)
        self.on_response_complete()

    def _wait(self) -> None:
        if self._patience is None and not self.transport.is_closing():
            self._patience = self.loop.call_later(LONGEST_HEAD, self._waited)

    def _waited(self) -> None:
        self._patience = None
        if self._answering():
            self._wait()  # an answer to what they asked before is still on its way
        else:
            self._let_go(408, b"The request never ended.")

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _let_go(self, status: int, why: bytes) -> None:
        """Close the connection; with a word where no answer to an earlier request is on its way."""
        if self.transport.is_closing():
            return
        if not self._answering():
            head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            self.transport.write(status_line(status) + head % len(why) + why)
        self.transport.close()


def connections_with(ready: ReadyAnswers) -> type[Connection]:
    """The class of connections of a server whose answers these are."""
    return type("ReadyConnection", (Connection,), {"ready": ready})
