"""Fuzzes the ingest line with atheris, guided by coverage: `make fuzz`, `make fuzz ARGS=60` for a minute.

Ends with 0 when nothing but refusals ever left the decoder; else libFuzzer
prints the input and leaves it in the folder it was started with.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["models", "streams.keeping", "streams.folding", "streams.joining", "fuzzed"]):
    from fuzzed import Fuzzed, seeds

TOKENS = (
    "event_id",
    "at",
    "region",
    "440000",
    "unknown",
    "status",
    "placed",
    "paid",
    "refunded",
    "null",
    "true",
    "1e3",
)


def main(folder: Path, seconds: int) -> None:
    """Fuzz for some seconds, with corpus and findings in a folder."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (corpus / f"seed{number}").write_bytes(seed)
    words = folder / "tokens.dict"
    words.write_text("".join(f'"{token}"\n' for token in TOKENS))
    options = [f"-max_total_time={seconds}", "-max_len=4096", f"-dict={words}", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], Fuzzed().feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
