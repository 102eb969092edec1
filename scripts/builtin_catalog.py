#!/usr/bin/env python3
"""Writes core/src/sql/builtin_{functions,types,casts}.txt from the catalogs of running PostgreSQL servers.

usage: scripts/builtin_catalog.py CONNECTION...

One connection string for each major version that coexist supports, in any order; `psql` must be on the PATH:

    scripts/builtin_catalog.py "host=/run/pg13 user=postgres" "host=/run/pg14 user=postgres" …

The files describe what the servers say; nothing in them is written by hand.
"""

import pathlib
import subprocess
import sys

TARGET = pathlib.Path(__file__).resolve().parent.parent / "core" / "src" / "sql"

# What SQL cannot call is left out: functions that take or return what only the server's own code can handle.
FUNCTIONS = """
with callable as (
    select p.proname, p.provolatile, p.prokind, p.proretset,
        p.provolatile <> 'i'
            and array[1184, 1266]::oid[] && (p.proargtypes::oid[] || coalesce(p.proallargtypes, '{}') || p.prorettype) as zoned
    from pg_proc p
    where p.pronamespace = 'pg_catalog'::regnamespace
        and not exists (
            select from unnest(p.proargtypes::oid[] || p.prorettype) as used(type)
            join pg_type t on t.oid = used.type
            where t.typname in ('internal', 'trigger', 'event_trigger', 'language_handler', 'fdw_handler',
                'index_am_handler', 'table_am_handler', 'tsm_handler'))
)
select proname,
    concat(
        case when bool_or(provolatile = 'i') then 'i' end,
        case when bool_or(provolatile = 's') then 's' end,
        case when bool_or(provolatile = 'v') then 'v' end),
    concat(
        case when bool_or(prokind = 'f' and not proretset) then 'p' end,
        case when bool_or(proretset) then 'r' end,
        case when bool_or(prokind = 'a') then 'a' end,
        case when bool_or(prokind = 'w') then 'w' end),
    bool_or(zoned)
from callable group by proname
"""

TYPES = """
select typname from pg_type
where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm')
    and oid not in (select typarray from pg_type)
"""

CASTS = """
select source.typname || '>' || target.typname
from pg_cast c
join pg_type source on source.oid = c.castsource
join pg_type target on target.oid = c.casttarget
where c.oid < 16384 and source.oid <> target.oid
"""


def rows(connection, query):
    command = ["psql", "-X", "-A", "-t", "-F", "\t", "-d", connection, "-c", query]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in output.splitlines()]


def versions(seen, newest, oldest):
    """`13-` since 13 and still there, `13-15` until 15."""
    since = "" if min(seen) == oldest else str(min(seen))
    until = "" if max(seen) == newest else str(max(seen))
    return f"{since}-{until}"


def write(name, header, lines):
    path = TARGET / name
    path.write_text("".join(f"{line}\n" for line in [*header, *sorted(lines, key=lambda line: line.split(' ')[0].encode())]))
    print(f"{path}: {len(lines)} lines")


def main():
    connections = sys.argv[1:]
    if not connections:
        sys.exit(__doc__)
    functions, types, casts, majors = {}, {}, {}, []
    for connection in connections:
        major = int(rows(connection, "show server_version_num")[0][0]) // 10000
        majors.append(major)
        for name, volatility, kinds, zoned in rows(connection, FUNCTIONS):
            entry = functions.setdefault(name, {"volatility": set(), "kinds": set(), "zoned": False, "seen": []})
            entry["volatility"] |= set(volatility)
            entry["kinds"] |= set(kinds)
            entry["zoned"] |= zoned == "t"
            entry["seen"].append(major)
        for (name,) in rows(connection, TYPES):
            types.setdefault(name, []).append(major)
        for (pair,) in rows(connection, CASTS):
            casts.setdefault(pair, []).append(major)
    oldest, newest = min(majors), max(majors)

    lines = []
    for name, entry in functions.items():
        volatility = "".join(v for v in "isv" if v in entry["volatility"])
        kinds = "".join(kind for kind in "praw" if kind in entry["kinds"])
        zoned = "z" if entry["zoned"] else ""
        lines.append(f"{name} {volatility}{zoned} {kinds} {versions(entry['seen'], newest, oldest)}")
    made = f"# Made by scripts/builtin_catalog.py from PostgreSQL {oldest} to {newest}."
    write("builtin_functions.txt", [
        made,
        "# name, volatilities of the overloads (i, s, v; z: one that is not immutable handles a time with zone),",
        "# kinds of the overloads (p plain, r set-returning, a aggregate, w window), servers that have it",
    ], lines)
    for file, what, found in [("builtin_types.txt", "name", types), ("builtin_casts.txt", "source>target", casts)]:
        write(file, [made, f"# {what}, servers that have it"],
              [f"{name} {versions(seen, newest, oldest)}" for name, seen in found.items()])


main()
