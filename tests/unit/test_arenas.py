"""Memory that stays: a slice's objects come and go without the kernel."""

import resource

from streams.arenas import kept_arenas


def faults() -> int:
    """Pages this process has fetched from the kernel so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def test_small_objects_come_and_go_without_the_kernel() -> None:
    """Ten times eight megabytes of small objects cost hardly a page while arenas are kept."""
    with kept_arenas(16):
        before = faults()
        for _ in range(10):
            slice_ = [bytes(67) for _ in range(80_000)]
            del slice_
        spent = faults() - before

    assert spent < 10 * 8_000_000 // 4_096 // 4
