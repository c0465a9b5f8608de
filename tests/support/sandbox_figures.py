"""The figures of the sandbox's suite in one line: how many objects of answers were judged, and how many were wrong."""

from typing import Any

CHECKS = "sandbox-checks"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the line, where the suite ran."""
    judged = [
        value
        for group in terminalreporter.stats.values()
        for report in group
        if getattr(report, "when", "") == "teardown" or getattr(report, "failed", False)
        for name, value in getattr(report, "user_properties", [])
        if name == CHECKS
    ]
    if judged:
        objects, violations = (sum(column) for column in zip(*judged, strict=True))
        terminalreporter.write_line(f"sandbox: objects checked={objects}, violations={violations}")
