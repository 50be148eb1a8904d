"""Draws the flow of durable messages as a Mermaid diagram (https://mermaid.js.org/syntax/flowchart.html).

`python -m libs.common.contracts.diagram` puts it into the README, between its markers.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from libs.common.contracts import flow

README = Path(__file__).resolve().parents[3] / "README.md"
_BEGIN, _END = "<!-- flow -->", "<!-- /flow -->"


def render() -> str:
    """The diagram: services, and an arrow for what one publishes and another's queue receives."""
    arrows: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for service in flow.SERVICES.values():
        for message in service.publishes:
            for queue in flow.consumers(message):
                arrows[service.name, queue.service].append(message.__name__)
    lines = [
        f'    {source} -- "{"<br/>".join(messages)}" --> {target}'
        for (source, target), messages in arrows.items()
    ]
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```"])


def inserted(text: str) -> str:
    """`text` with the diagram between its markers as it should be now. ValueError without markers."""
    before, _, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end:
        raise ValueError(f"the text has no {_BEGIN} … {_END}")
    return f"{before}{_BEGIN}\n{render()}\n{_END}{after}"


if __name__ == "__main__":
    README.write_text(inserted(README.read_text(encoding="utf-8")), encoding="utf-8")
