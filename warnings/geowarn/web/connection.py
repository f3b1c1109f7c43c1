"""One connection of a browser or a reader: uvicorn's own, which first looks whether the answer lies ready."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from geowarn.web.ready import ReadyAnswers, status_line


class Connection(HttpToolsProtocol):
    """Answers what is ready at once, in the order of the requests; all else goes the way of the application."""

    ready: ReadyAnswers  # set by `connections_with`
    _answered = False

    def on_message_begin(self) -> None:
        """A request begins."""
        self._answered = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is read: nothing of a plain GET follows."""
        waits = self.pipeline or (self.cycle is not None and not self.cycle.response_complete)
        if not waits and not self.flow.write_paused and self._plain():
            found = self.ready.find(self.parser.get_method(), self.url, self.headers)
            if found is not None:
                self._answer(*found)
                return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is over."""
        if not self._answered:
            super().on_message_complete()

    def _plain(self) -> bool:
        return self.parser.get_http_version() == "1.1" and self.parser.should_keep_alive()

    def _answer(self, status: int, rest: bytes) -> None:
        self._answered = True
        default = b"".join(b"%s: %s\r\n" % line for line in self.server_state.default_headers)
        self.transport.write(status_line(status) + default + rest)
        self.on_response_complete()


def connections_with(ready: ReadyAnswers) -> type[Connection]:
    """The class of connections of a server whose answers these are."""
    return type("ReadyConnection", (Connection,), {"ready": ready})
