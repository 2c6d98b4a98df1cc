"""Row 28: bugs are planted into the worker, and the rows must see each of them."""

from collections.abc import Callable
from contextlib import closing
from typing import Final

from chaos import crashes, stores
from chaos.ground import Ground, later
from chaos.rows import Found, Scene


def calm(scene: Scene) -> Found:
    """No fault at all: every sum is right, and no slice was void."""
    found = Found(runs=1)
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        worker = ground.alone(500)
        ground.feed.burst(5_000)
        later(2)
        found.settle(ground)
        void = {w: worker.metric("subsidywatch_worker_slices_total", outcome=w) for w in ("fenced", "gap", "dropped")}
        found.check(f"no slice was void: {void}", not any(void.values()))
        found.check("the worker lived", worker.daemon.process.poll() is None)
    return found


CATCHERS: Final[dict[str, tuple[str, Callable[[Scene], Found], float]]] = {
    "no_fence": ("row 3, zombie", crashes.zombie, 0.2),
    "commit_first": ("row 1, kill -9", crashes.kill, 0.5),
    "float_money": ("no fault", calm, 1.0),
    "skip_error": ("row 5, Redis killed", stores.restarted, 0.2),
    "concurrency": ("no fault", calm, 1.0),
}
"""Bug to the row that must see it, and the part of its usual runs that is enough."""


def planted(scene: Scene) -> Found:
    """Play a row with each bug: it must turn red, where it is green without."""
    found = Found()
    clean = calm(scene._replace(folder=scene.folder / "clean"))
    found.check(f"without a bug the calm row is green: {clean.failures}", clean.green)
    for bug, (name, play, share) in CATCHERS.items():
        seen = _caught(play, Scene(scene.folder / bug, bug, share))
        found.runs += 1
        found.check(f"{bug} is caught by {name}", bool(seen))
        found.notes.append(f"{bug}: {'; '.join(seen) or 'not caught'}")
    return found


def _caught(play: Callable[[Scene], Found], scene: Scene) -> list[str]:
    """Give what the row found wrong; a row that could not even come to its end has found it, too."""
    try:
        found = play(scene)
    except (AssertionError, RuntimeError) as stuck:
        return [f"the row did not come to its end: {str(stuck)[:120]}"]
    counts = [f"lost {found.lost}, double {found.double}"] if not all(c.exact for c in found.compared) else []
    return [*counts, *found.failures]
