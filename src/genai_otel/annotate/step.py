"""What a ``with`` block has of its step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current

from genai_otel import safe, semconv
from genai_otel.context_keys import STEP_KEY

if TYPE_CHECKING:
    from genai_otel.annotate.run import Run


class Step:
    """A step that goes on.  Where nothing is traced, what is told it goes nowhere."""

    __slots__ = ("_run",)

    def __init__(self, run: Run | None) -> None:
        self._run = run

    def set_attribute(self, name: str, value: object) -> None:
        """Add an attribute to its span; what is no text, number, truth value or list of such is left out."""
        known = safe.attribute(value)
        if self._run is not None and known is not None:
            self._run.attributes[name] = known

    def arguments(self, **arguments: Any) -> None:
        """Say what the step is given; recorded only where the content policy lets it."""
        if self._run is not None:
            self._run.ask(arguments)

    def result(self, value: Any) -> None:
        """Say what the step gave; recorded only where the content policy lets it.

        Of a look-up in a cache it tells that, too: None is a miss.
        """
        if self._run is not None:
            self._run.tell(value)

    def hit(self, found: bool = True) -> None:
        """Say of a look-up in a cache whether it was a hit, where None may be what was found."""
        self.set_attribute(semconv.CACHE_RESULT, "hit" if found else "miss")

    def miss(self) -> None:
        """Say of a look-up in a cache that it found nothing."""
        self.hit(False)

    @property
    def is_current(self) -> bool:
        """Whether the program is in this step here, or in something that it has opened in it."""
        return self._run is not None and get_current().get(STEP_KEY) is self._run.context.get(STEP_KEY)

    def end(self, error: BaseException | None) -> None:
        """The block is left; the annotation says so."""
        run = self._run
        if run is None:
            return
        if not self.is_current:
            run.around = None  # it is left elsewhere, where something else is current, and stays so
        if error is not None:
            run.raised(error)
        else:
            run.suspend()
            run.finish("failed" if semconv.ERROR_TYPE in run.attributes else "completed")
