"""`subsidywatch version`: what is installed."""


def version() -> None:
    """Print the versions of this program and of what it stands on."""
    import platform
    from importlib.metadata import version as version_of

    print(f"subsidywatch {version_of('subsidywatch')}")
    for name in ("faust-streaming", "aiokafka", "kafka-python", "redis", "pydantic", "msgspec"):
        print(f"{name} {version_of(name)}")
    print(f"python {platform.python_version()}")
