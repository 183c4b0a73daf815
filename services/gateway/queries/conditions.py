"""Conditions that several reads have in common."""

from services.gateway.filters import Conditions, Filters


def started_sessions(filters: Filters) -> Conditions:
    """Sessions `s` that belong to the range: those that start in it. Absorbed ones belong to another."""
    return selected_sessions(filters).add("s.started_at >= {}", filters.start).add("s.started_at < {}", filters.end)


def present_sessions(filters: Filters) -> Conditions:
    """Sessions `s` that touch the range at all: those carried into it too."""
    return selected_sessions(filters).add("s.started_at < {}", filters.end).add("s.ended_at >= {}", filters.start)


def selected_sessions(filters: Filters) -> Conditions:
    return Conditions().add("s.status = 'active'").cameras(filters, "s").people(filters, "s").dwell(filters, "s")
