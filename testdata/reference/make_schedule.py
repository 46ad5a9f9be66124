"""Writes schedule.json: due instants by Python's zoneinfo, cronsim and croniter.

    python -m venv venv && venv/bin/pip install -r requirements-schedule.txt
    PYTHONTZPATH= venv/bin/python make_schedule.py

An empty PYTHONTZPATH makes zoneinfo read the package tzdata and not the system's files.

`cadences`: the ends of days, weeks, months and quarters in a zone, by calendar arithmetic over zoneinfo,
not before the UTC day is over, plus a delay. `cron`: instants by cronsim, which reads expressions as Debian's
cron does, also where clocks change. `agreed`: instants in UTC on which cronsim and croniter agree.
"""

import calendar
import importlib.metadata
import json
import pathlib
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim

FOLDER = pathlib.Path(__file__).parent
UTC = timezone.utc


def text(instant):
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def begins(cadence, day):
    return {
        "day": True,
        "week": calendar.weekday(day.year, day.month, day.day) == calendar.MONDAY,
        "month": day.day == 1,
        "quarter": day.day == 1 and day.month in (1, 4, 7, 10),
    }[cadence]


def ends(cadence, zone, after_minutes, first, last):
    """Due instants in (first, last]."""
    due, day = [], first.date() - timedelta(days=3)
    while day <= last.date() + timedelta(days=3):
        if begins(cadence, day):
            local = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
            utc = datetime.combine(day, time(), UTC)
            at = max(local, utc) + timedelta(minutes=after_minutes)
            if first < at <= last:
                due.append(text(at))
        day += timedelta(days=1)
    return due


def cron(expression, zone, first, count):
    instants, seen = [], first
    for at in CronSim(expression, first.astimezone(ZoneInfo(zone))):
        at = at.astimezone(UTC)
        # Two times of the day that are skipped together fall on one instant.
        if at > seen:
            instants.append(text(at))
            seen = at
        if len(instants) == count:
            return instants
    return instants


def agreed(expression, first, count):
    by_cronsim = cron(expression, "UTC", first, count)
    iterator = croniter(expression, first, implement_cron_bug=True)
    by_croniter = [text(iterator.get_next(datetime)) for _ in range(count)]
    assert by_cronsim == by_croniter, (expression, by_cronsim, by_croniter)
    return by_cronsim


FIRST, LAST = datetime(2025, 12, 31, 12, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)
CADENCES = [
    (cadence, zone, after)
    for zone, after in [
        ("America/New_York", 120),
        ("UTC", 60),
        ("Asia/Tokyo", 60),
        ("Asia/Kathmandu", 0),
        # Clocks are set forwards at midnight here, so a day begins at one.
        ("Africa/Cairo", 30),
        ("Pacific/Kiritimati", 90),
        ("Pacific/Pago_Pago", 90),
    ]
    for cadence in ["day", "week", "month", "quarter"]
]
CRONS = [
    ("0 6 * * 1", "America/New_York", "2026-01-01T00:00:00", 60),
    # Skipped on 8 March, twice on 1 November.
    ("30 2 * * *", "America/New_York", "2026-03-05T00:00:00", 8),
    ("30 1 * * *", "America/New_York", "2026-10-29T00:00:00", 8),
    ("15,45 1-3 * * *", "America/New_York", "2026-03-07T00:00:00", 18),
    ("15,45 0-2 * * *", "America/New_York", "2026-10-31T00:00:00", 18),
    ("0 1-4 * * *", "America/New_York", "2026-03-07T12:00:00", 12),
    # A star in front follows elapsed time.
    ("*/20 * * * *", "America/New_York", "2026-03-08T05:00:00", 12),
    ("*/20 * * * *", "America/New_York", "2026-11-01T04:00:00", 15),
    ("30 * * * *", "America/New_York", "2026-11-01T03:00:00", 8),
    ("30 */2 * * *", "America/New_York", "2026-03-07T12:00:00", 24),
    ("* 1 * * *", "America/New_York", "2026-11-01T04:00:00", 130),
    # Half an hour, and another hemisphere.
    ("15 2 * * *", "Australia/Lord_Howe", "2026-10-01T00:00:00", 6),
    ("*/15 1-2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00", 20),
    ("*/15 1-2 * * *", "Australia/Lord_Howe", "2026-04-03T12:00:00", 24),
    ("0 0 * * *", "Africa/Cairo", "2026-04-20T00:00:00", 8),
    ("0 8 1 */3 *", "Europe/Berlin", "2026-01-01T00:00:00", 8),
    ("0 8 13 * 5", "Europe/Berlin", "2026-01-01T00:00:00", 30),
    ("0 8 */2 * 5", "Asia/Kathmandu", "2026-01-01T00:00:00", 30),
]
AGREED = [
    ("*/7 * * * *", 30),
    ("5-59/10 9-17 * * mon-fri", 120),
    ("0 0 29 2 *", 6),
    ("0 12 31 * *", 12),
    ("0 0 1,15 * 3", 40),
    ("0 0 * * 7", 10),
    ("0 0 * * 5-7", 10),
    ("23 4 1 jan,jul *", 6),
    ("59 23 28-31 * *", 20),
    ("0 */5 * * *", 20),
    ("0 0 * 2 1-5/2", 30),
]

if __name__ == "__main__":
    versions = {name: importlib.metadata.version(name) for name in ["croniter", "cronsim", "tzdata"]}
    values = {
        "made_by": "make_schedule.py",
        "versions": versions,
        "cadences": [
            {
                "cadence": cadence,
                "zone": zone,
                "after_minutes": after,
                "from": text(FIRST),
                "to": text(LAST),
                "due": ends(cadence, zone, after, FIRST, LAST),
            }
            for cadence, zone, after in CADENCES
        ],
        "cron": [
            {
                "expression": expression,
                "zone": zone,
                "from": first + "Z",
                "due": cron(expression, zone, datetime.fromisoformat(first + "+00:00"), count),
            }
            for expression, zone, first, count in CRONS
        ],
        "agreed": [
            {"expression": expression, "from": text(FIRST), "due": agreed(expression, FIRST, count)}
            for expression, count in AGREED
        ],
    }
    parts = []
    for key, value in values.items():
        # One line for each case.
        lines = "[\n" + ",\n".join(map(json.dumps, value)) + "\n]" if isinstance(value, list) else json.dumps(value)
        parts.append(f"{json.dumps(key)}: {lines}")
    (FOLDER / "schedule.json").write_text("{\n" + ",\n".join(parts) + "\n}\n")
