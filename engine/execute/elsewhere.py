"""Processes on other servers: those of an OGC API - Processes, and functions that a server holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin

from engine.errors import Problem
from engine.execute.messages import as_json, as_udf_data, from_udf_data
from engine.http import Answer, Client, Failure, egress_of
from engine.http.client import PATIENCE
from engine.settings import Settings
from engine.write import Stream
from processes.errors import InvalidOgcApiProcess

RESULTS = "http://www.opengis.net/def/rel/ogc/1.0/results"
STATES = ("accepted", "running", "successful", "failed", "dismissed")
PAUSE = 0.2
"""Seconds before a job is looked at again; longer each time."""
LONGEST_PAUSE = 10.0
WHERE_HARMLESS = PATIENCE.new(total=2)
"""Questions are asked again; what starts a process is asked once."""
MAX_BODY = 256 * 2**20
"""Bytes of an answer."""
Json = dict[str, Any]


@dataclass
class Deadline:
    """How long all of a call may take."""

    seconds: float
    """Seconds in all."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self.end = self.clock() + self.seconds

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(self.end - self.clock(), 0.0)

    def wait(self, seconds: float) -> bool:
        """Wait; false where the time is over."""
        self.sleep(min(seconds, self.left))
        return self.left > 0


@dataclass(frozen=True)
class Service:
    """An OGC API - Processes."""

    client: Client
    """How it is asked."""
    url: str
    """Its landing page."""
    deadline: Deadline
    """When we give up."""
    stream: Stream
    """Where the blocks of cubes come from that are sent."""

    def run(self, id_: str, data: Any, context: Mapping[str, Any]) -> Any:
        """The result of one of its processes."""
        home, _, query = self.url.partition("?")
        at = f"{home.rstrip('/')}/processes/{quote(id_, safe='')}"
        query = f"?{query}" if query else ""
        description = self._description(f"{at}{query}", id_)
        inputs = inputs_of(description, as_json(data, self.stream), context, id_)
        modes = description.get("jobControlOptions") or ["sync-execute"]
        later = {} if "sync-execute" in modes else {"Prefer": "respond-async"}
        answer = self._ask(f"{at}/execution{query}", "POST", json={"inputs": inputs}, headers=later)
        if answer.status >= 400:
            raise refusal(answer, id_)
        if answer.status == 201:
            return self._job(answer, id_)
        return self._value(answer)

    def _description(self, url: str, id_: str) -> Json:
        answer = self._ask(url)
        if answer.status in (404, 410):
            raise InvalidOgcApiProcess(
                f"the server has no process {id_!r}{told(answer)}",
                hint=f"{answer.href.rpartition('/')[0]} lists those that it has.",
                parameter="id",
            )
        description = answer.checked().json()
        if not isinstance(description, dict) or description.get("id", id_) != id_:
            raise nonsense(answer, f"its description of {id_!r} is none")
        return description

    def _job(self, answer: Answer, id_: str) -> Any:
        """Wait for a job and fetch its results."""
        body = answer.json() if answer.body.strip() else {}
        place = answer.headers.get("Location")
        if not place and isinstance(body, dict) and body.get("jobID"):
            place = f"{answer.url.partition('/processes/')[0]}/jobs/{quote(str(body['jobID']), safe='')}"
        if not place:
            raise nonsense(answer, "it started a job and does not say where")
        job = urljoin(answer.url, place)
        status = self._finished(job, id_)
        links = [k for k in status.get("links") or () if isinstance(k, Mapping) and k.get("rel") == RESULTS]
        default = f"{job.partition('?')[0].rstrip('/')}/results"
        results = urljoin(job, str(links[0].get("href"))) if links else default
        return self._value(self._ask(results).checked())

    def _finished(self, job: str, id_: str) -> Json:
        """The status of a job once it is done."""
        pause = PAUSE
        while True:
            try:
                answer = self._ask(job).checked()
            except Failure:
                if self.deadline.left > 0:
                    raise
                self._dismiss(job)  # the time ended while we asked
                raise out_of_time(id_, self.deadline.seconds) from None
            status = answer.json()
            state = status.get("status") if isinstance(status, dict) else None
            if state not in STATES:
                raise nonsense(answer, f"the status of its job is {str(state)[:80]!r}")
            if state == "successful":
                return dict(status)
            if state in ("failed", "dismissed"):
                raise failed(id_, f"its job is {state}{message_of(status)}")
            asked = answer.headers.get("Retry-After", "")
            if not self.deadline.wait(min(float(asked), LONGEST_PAUSE) if asked.isdigit() else pause):
                self._dismiss(job)
                raise out_of_time(id_, self.deadline.seconds)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _dismiss(self, job: str) -> None:
        """Tell the server that nobody waits any longer; what it says to that does not matter."""
        try:
            self.client.ask(job, "DELETE", within=5.0)
        except Failure:
            return

    def _value(self, answer: Answer) -> Any:
        """What an answer holds: JSON, with the JSON that it links to in the place of the links."""
        if answer.status == 204 or not answer.body.strip():
            return None
        if not is_json(answer.media_type):
            raise nonsense(answer, f"its result is {answer.media_type or 'of no media type'}, not JSON")
        value = answer.json()
        if not isinstance(value, dict):
            return value
        return {name: self._resolved(part, answer.url) for name, part in value.items()}

    def _resolved(self, part: Any, base: str) -> Any:
        if not isinstance(part, Mapping) or not isinstance(part.get("href"), str):
            return part
        if not is_json(str(part.get("type", "application/json"))):
            return part
        return self._ask(urljoin(base, part["href"])).checked().json()

    def _ask(self, url: str, method: str = "GET", **how: Any) -> Answer:
        if self.deadline.left <= 0:
            raise out_of_time(url.rpartition("/")[2], self.deadline.seconds)
        return self.client.ask(url, method, cap=MAX_BODY, within=self.deadline.left, **how)


def inputs_of(description: Mapping[str, Any], data: Any, context: Mapping[str, Any], id_: str) -> Json:
    """The inputs of a process: the data in the one that it belongs to, the context in the others."""
    known = description.get("inputs")
    names = list(known) if isinstance(known, Mapping) else []
    if unknown := [name for name in context if names and name not in names]:
        raise Problem(
            "ProcessParameterInvalid",
            f"process {id_!r} has no input {', '.join(map(repr, unknown))}; it has {', '.join(names)}",
            facts={"parameter": "context"},
        )
    if "data" in names or not names:
        return {**context, "data": data}
    left = [name for name in names if name not in context]
    needed = [name for name in left if known[name].get("minOccurs", 1) != 0] if known else []
    for open_ in (needed, left):
        if len(open_) == 1:
            return {**context, open_[0]: data}
    if not left and data is None:
        return dict(context)
    raise Problem(
        "ProcessParameterInvalid",
        f"process {id_!r} has no input `data`, and {len(left)} inputs that the context leaves open"
        f" ({', '.join(left) or 'none'})",
        hint="Give all inputs but one in the context.",
        facts={"parameter": "context"},
    )


@dataclass(frozen=True)
class Caller:
    """Runs processes on other servers."""

    client: Client
    """How servers are asked."""
    deadline: Deadline
    """When we give up."""
    stream: Stream
    """Where the blocks of cubes come from that are sent."""

    def run_ogcapi(self, url: str, id_: str, data: Any, context: Mapping[str, Any]) -> Any:
        """The result of a process of an OGC API - Processes."""
        return Service(self.client, url, self.deadline, self.stream).run(id_, data, context)

    def run_udf(self, url: str, data: Any, context: Mapping[str, Any]) -> Any:
        """The result of a function that a server holds."""
        return run_udf(self.client, url, data, context, self.deadline, self.stream)


@contextmanager
def caller(settings: Settings, stream: Stream) -> Iterator[Caller]:
    """A caller; a failed request is told as the problem of the parameter `url`."""
    try:
        with Client(egress_of(settings), retries=WHERE_HARMLESS) as client:
            yield Caller(client, Deadline(settings.call_timeout), stream)
    except Failure as failure:
        raise failure.problem("url") from failure


def home(settings: Settings, id_: str) -> str:
    """The OGC API - Processes that belongs to this service."""
    if settings.ogc_processes is None:
        raise InvalidOgcApiProcess(
            f"there is no OGC API - Processes here that has {id_!r}",
            hint="The operator names one with GDC_OGC_PROCESSES; run_ogcapi_externally asks others.",
            parameter="id",
        )
    return settings.ogc_processes


def run_udf(
    client: Client, url: str, data: Any, context: Mapping[str, Any], deadline: Deadline, stream: Stream
) -> Any:
    """The result of a function that a server holds, in the messages of openEO's UDF interface."""
    request = {"data": as_udf_data(data, context, stream)}
    answer = client.ask(url, "POST", json=request, cap=MAX_BODY, within=deadline.left)
    if answer.status >= 400:
        raise refusal(answer, answer.href)
    if not is_json(answer.media_type):
        raise nonsense(answer, f"its result is {answer.media_type or 'of no media type'}, not JSON")
    return from_udf_data(answer.json(), data)


def is_json(media_type: str) -> bool:
    """Is this one of the media types of JSON?"""
    bare = media_type.partition(";")[0].strip().lower()
    return bare == "application/json" or bare.endswith("+json")


def refusal(answer: Answer, what: str) -> Exception:
    """The server does not want to run it."""
    if answer.status == 404:
        return InvalidOgcApiProcess(f"the server does not run {what!r}{told(answer)}", parameter="id")
    return failed(what, f"the server answers {answer.status}{told(answer)}")


def failed(what: str, why: str) -> Problem:
    """It was run, and gave no result."""
    return Problem(
        "ProcessParameterInvalid",
        f"{what} gave no result: {why}",
        hint="Check the data and the context that it was given.",
        facts={"parameter": "data"},
    )


def out_of_time(what: str, seconds: float) -> Problem:
    """It takes longer than we wait."""
    return Problem(
        "RequestTimeout",
        f"{what} is not done after {seconds:g} s",
        hint="Give it less to do, or raise GDC_CALL_TIMEOUT.",
        facts={"seconds": seconds},
    )


def nonsense(answer: Answer, why: str) -> Problem:
    """The server does not keep to the standard."""
    return Problem(
        "FileContentInvalid",
        f"{answer.href} does not answer as its standard says: {why}",
        hint="Tell the operator of that server.",
        facts={"href": answer.href, "status": answer.status},
    )


def told(answer: Answer) -> str:
    """What the server says is wrong, shortened."""
    try:
        return message_of(answer.json())
    except Failure:
        return ""


def message_of(body: Any) -> str:
    """The words of a status or of a problem (RFC 7807)."""
    if not isinstance(body, Mapping):
        return ""
    words = next((body[k] for k in ("detail", "message", "description", "title") if body.get(k)), None)
    return f": {str(words)[:500]}" if words else ""
