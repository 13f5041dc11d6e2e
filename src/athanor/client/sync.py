"""A client for programs, notebooks and scripts."""

import io
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from threading import Lock
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import pyarrow as pa

from athanor.client import questions
from athanor.client.answer import Answer
from athanor.client.errors import IncompleteAnswerError, ServerUnreachableError, SignInFailedError
from athanor.client.questions import COOKIE, NOT_NOW, PAUSES_S, Question
from athanor.client.values import CurrentValue, Receipt, Sample, Tag, table_of

T = TypeVar("T")

_WRITTEN_ROWS = 100_000  # sent at a time


class Client:
    """A connection to one server. Use it as a context manager, or call `close`.

    Parameters
    ----------
    url
        Where the server is, such as `http://127.0.0.1:8080`.
    login, password
        Whose eyes the program sees with: an account of their own for programs is best. The session ends with `close`.
    session
        A session's token instead, such as another program has opened.
    token
        An edge's token (`athanor edge-token NAME`): needed for `write`, and of no use for reading.
    edge
        What the program is called where it writes.
    timeout_s
        Longest wait for a connection and between two pieces of an answer. [s]
    attempts
        How often a question is asked where the server cannot be reached or says that it cannot answer now.
    http
        Further options of `httpx.Client`, such as `verify`.
    """

    def __init__(
        self,
        url: str,
        *,
        login: str | None = None,
        password: str | None = None,
        session: str | None = None,
        token: str | None = None,
        edge: str = "athanor-client",
        timeout_s: float = 60.0,
        attempts: int = 4,
        **http: Any,
    ) -> None:
        self._url = url.rstrip("/")
        self._login, self._password = login, password
        self._token, self._edge = token, edge
        self._attempts = attempts
        self._signing_in = Lock()
        self._is_ours = False  # whether the session was opened here
        self._http = httpx.Client(base_url=self._url, timeout=timeout_s, **http)
        if session is not None:
            self._http.cookies.set(COOKIE, session)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Sign out, if the client signed in, and let go of the connection."""
        if self._is_ours:
            self._is_ours = False
            with suppress(httpx.HTTPError):  # a server that is gone ends the session by itself
                self._http.post("/sign-out")
        self._http.close()

    # ---- what there is

    def tags(self, search: str = "") -> list[Tag]:
        """All tags, or those of whose path and names all words are a part, by path."""
        found: list[Tag] = []
        after: str | None = ""
        while after is not None:
            page, after = self._answer(questions.tags_page(search, after))
            found += page
        return found

    def current(self, tags: Sequence[str]) -> list[CurrentValue]:
        """The newest sample of each tag, in the order asked."""
        return [one for part in questions.in_parts(tags) for one in self._answer(questions.current(part))]

    # ---- what there was

    def series(
        self,
        tags: Sequence[str],
        start: datetime | str,
        end: datetime | str | None = None,
        *,
        step: str | None = None,
        how: str | None = None,
        gaps: str | None = None,
        points: int | None = None,
        shape: str | None = None,
    ) -> Answer:
        """Samples, or what steps come to, by tag, then time; of shape `wide` a column for each tag, by time.

        Parameters
        ----------
        tags
            Paths.
        start, end
            Aware times, or ISO 8601 with a zone. The end is excluded; now where left out.
        step
            A step of the site's calendar: `15m`, `1h`, `shift`, `day`, `month` …; all samples where left out.
        how
            What a step comes to: `mean` (where left out), `min`, `max`, `first`, `last`, `sum`, `count`, `integral`,
            `std`, `share_good`, `usual`, `at`.
        gaps
            What is known between samples: `none`, `hold 5m`, `linear 1h` …; what each tag's kind says where left out.
        points
            Instead: about so many samples a tag, that look like all of them.
        shape
            `long` (where left out) or `wide`.
        """
        options = {"step": step, "how": how, "gaps": gaps, "points": points, "shape": shape}
        parts = questions.in_parts(tags)
        tables = [self._answer(questions.series(part, start, end, options)) for part in parts]
        return questions.joined(tables, is_wide=shape == "wide")

    def grid(
        self,
        tags: Sequence[str],
        start: datetime | str,
        end: datetime | str | None = None,
        *,
        step: str,
        gaps: str | None = None,
    ) -> Answer:
        """The value of each tag at the start of each step: a column `time` and one for each tag. For models."""
        return self.series(tags, start, end, step=step, how="at", gaps=gaps, shape="wide")

    def delta(
        self,
        tags: Sequence[str],
        start: datetime | str,
        end: datetime | str | None = None,
        *,
        step: str | None = None,
        split: str | None = None,
    ) -> Answer:
        """What counters counted, by step, or over the whole range; `split` is `none` (where left out) or `pro_rata`."""
        options = {"step": step, "how": "delta", "split": split}
        parts = questions.in_parts(tags)
        return questions.joined(
            [self._answer(questions.series(part, start, end, options)) for part in parts], is_wide=False
        )

    def at(self, tags: Sequence[str], time: datetime | str, *, gaps: str | None = None) -> Answer:
        """What each tag was at a past moment, in the order asked."""
        parts = questions.in_parts(tags)
        return questions.joined([self._answer(questions.at(part, time, gaps)) for part in parts], is_wide=False)

    def batches(
        self, tags: Sequence[str], start: datetime | str, end: datetime | str | None = None, **options: Any
    ) -> Generator[pa.RecordBatch, None, None]:
        """The same as `series`, batch by batch as it comes, for answers larger than memory. `options` are the API's.

        Tags whose names do not fit into one address come after one another. Raises IncompleteAnswerError.
        """
        for part in questions.in_parts(tags):
            yield from self._streamed(questions.series(part, start, end, options))

    # ---- what is new

    def write(self, samples: pa.Table | pa.RecordBatch | Iterable[Sample]) -> Receipt:
        """Store samples (docs/telemetry.md); durable on return. Sending the same again does no harm.

        A table has the columns of the uplink: tag, time, value or text, and where wanted quality and unit.
        """
        if self._token is None:
            raise SignInFailedError(self._url, None)
        table = table_of(samples)
        stored = quarantined = 0
        for first in range(0, len(table), _WRITTEN_ROWS):
            part = table.slice(first, _WRITTEN_ROWS)
            receipt = self._answer(questions.write(part, self._token, self._edge))
            stored, quarantined = stored + receipt.stored, quarantined + receipt.quarantined
        return Receipt(stored, quarantined)

    # ---- asking

    def _answer(self, question: Question[T]) -> T:
        return question.understood(self._asked(question))

    def _streamed(self, question: Question[Any]) -> Iterator[pa.RecordBatch]:
        answer = self._asked(question, is_stream=True)
        try:
            with pa.ipc.open_stream(io.BufferedReader(_Pieces(answer.iter_bytes()))) as reader:
                yield from reader
        except (httpx.HTTPError, pa.ArrowException) as error:
            raise IncompleteAnswerError(self._url, error) from error
        finally:
            answer.close()

    def _asked(self, question: Question[Any], *, is_stream: bool = False) -> httpx.Response:
        """A good answer, after as many attempts as it may take. Raises the client's errors."""
        trouble: object = ""
        for attempt in range(self._attempts):
            if attempt:
                time.sleep(PAUSES_S[min(attempt, len(PAUSES_S)) - 1])
            try:
                answer = self._sent(question, is_stream=is_stream)
            except httpx.TransportError as error:
                trouble = error
                continue
            if answer.is_success:
                return answer
            if is_stream:
                answer.read()
            if answer.status_code not in NOT_NOW:
                raise self._refused(answer)
            trouble = questions.refusal(answer)
        raise ServerUnreachableError(self._url, trouble)

    def _sent(self, question: Question[Any], *, is_stream: bool) -> httpx.Response:
        """The answer to one attempt, signed in where that is due: at first, and after twelve hours of silence."""
        signs_in = self._login is not None and "Authorization" not in question.headers
        session = self._session() if signs_in else None
        answer = self._http.send(self._request(question), stream=is_stream)
        if answer.status_code == httpx.codes.UNAUTHORIZED and signs_in:
            answer.close()
            self._session(over=session)
            answer = self._http.send(self._request(question), stream=is_stream)
        return answer

    def _session(self, over: str | None = None) -> str | None:
        """The session that is open, or a new one where there is none or it is `over`: one for all threads."""
        with self._signing_in:
            if self._http.cookies.get(COOKIE) == over:
                self._sign_in()
            return self._http.cookies.get(COOKIE)

    def _request(self, question: Question[Any]) -> httpx.Request:
        return self._http.build_request(
            question.method,
            question.address,
            params=httpx.QueryParams(tuple(question.parameters)),
            headers=dict(question.headers),
            content=question.body,
        )

    def _refused(self, answer: httpx.Response) -> Exception:
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            return SignInFailedError(self._url, self._login)
        return questions.refusal(answer)

    def _sign_in(self) -> None:
        self._http.cookies.clear()
        answer = self._http.post("/sign-in", data=questions.sign_in(self._login or "", self._password or ""))
        if answer.status_code in NOT_NOW:
            raise httpx.RemoteProtocolError(f"signing in was answered {answer.status_code}")
        if COOKIE not in answer.cookies:
            raise SignInFailedError(self._url, self._login)
        self._is_ours = True


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file that is read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)
