"""What a journey leaves in Temporal: events, and their bytes."""

from __future__ import annotations

from statistics import mean

from benchmarks.figures import Figure
from benchmarks.parts.journeys import bare_walk, walk
from benchmarks.stage import Stage

BARE = """\
A workflow of as many activities that do nothing: their events can't be fewer. Its arguments and
results are a number each, where ours carry the journey and its plan."""

SENDS = (1, 3, 10)
#: All histories of a size are alike.
FRIENDS = 2


async def measure(stage: Stage) -> list[Figure]:
    figures = []
    for sends in SENDS:
        await walk(stage, FRIENDS, sends)
        ours = await _sizes(stage, "journey")
        await bare_walk(stage, FRIENDS, sends)
        bare = await _sizes(stage, "bare-walk")
        for what, our, their in zip(("events", "bytes"), ours, bare, strict=True):
            name = f"history of {sends} send{'s' * (sends > 1)}"
            figures.append(Figure(name=name, unit=what, ours=our, bare=their))
    return figures


async def _sizes(stage: Stage, workflow: str) -> tuple[float, float]:
    """Events and bytes of the last workflows of a type, on average."""
    query = f"WorkflowType = '{workflow}' AND ExecutionStatus = 'Completed'"
    found = [run async for run in stage.client.list_workflows(query, limit=FRIENDS)]
    infos = [
        (await stage.client.get_workflow_handle(run.id).describe()).raw_description for run in found
    ]
    return (
        mean(info.workflow_execution_info.history_length for info in infos),
        mean(info.workflow_execution_info.history_size_bytes for info in infos),
    )
