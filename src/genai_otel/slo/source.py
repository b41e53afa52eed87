"""Reads YAML, and knows for each field where it stands: an error names the file, the line and the field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genai_otel.setting_values import shown

if TYPE_CHECKING:
    import yaml

_MISSING = "SLO files are read by PyYAML: pip install 'genai-otel[rules]'"


class SloError(ValueError):
    """A file from which no rules can be made; the text says what is wrong, where, and what would be right."""


class Field:
    """A value of the file, with the keys that lead to it."""

    def __init__(self, file: str, path: str, line: int, node: yaml.Node, value: Any) -> None:
        self.path = path
        self.value = value
        self._file = file
        self._line = line
        self._node = node

    def wrong(self, problem: str) -> SloError:
        """The error of this field."""
        return SloError(f"{self._file}, line {self._line}: {self.path or 'the file'} {problem}")

    def fields(self) -> dict[str, Field]:
        """The fields of a mapping, by name.

        Raises:
            SloError: it is no mapping, or has a name twice.
        """
        if not isinstance(self.value, dict):
            raise self.wrong(f"is {shown(self.value)}; it must be a mapping of names to values")
        found: dict[str, Field] = {}
        for name, line, node, value in self._pairs():
            field = Field(self._file, f"{self.path}.{name}" if self.path else name, line, node, value)
            if name in found:
                raise field.wrong("stands there twice")
            found[name] = field
        return found

    def _pairs(self) -> Iterator[tuple[str, int, Any, Any]]:
        loader = _yaml().SafeLoader("")
        for key, value in self._node.value:
            name = loader.construct_object(key, deep=True)
            yield str(name), key.start_mark.line + 1, value, loader.construct_object(value, deep=True)

    def text(self) -> str:
        """A text that is not empty.

        Raises:
            SloError: it is something else.
        """
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.wrong(f"is {shown(self.value)}; it must be a text")
        return self.value.strip()

    def number(self, low: float = 0) -> float:
        """A finite number of ``low`` or more.

        Raises:
            SloError: it is something else.
        """
        value = self.value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value < float("inf"):
            raise self.wrong(f"is {shown(value)}; it must be a number, {low:g} or more")
        return value


def opened(path: Path) -> Field:
    """What stands in a file.

    Raises:
        SloError: it cannot be read, is no YAML, or PyYAML is not there.
    """
    yaml = _yaml()
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        if node is None:
            raise SloError(f"{path} is empty; it must name a service")
        return Field(str(path), "", 1, node, loader.construct_document(node))
    except (OSError, UnicodeDecodeError) as error:
        raise SloError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise SloError(f"{path}{line}: no YAML: {getattr(error, 'problem', None) or error}") from None


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise SloError(_MISSING) from None
    return yaml
