"""SQL functions that filters call: registered with a connection of SQLite, or made in PostgreSQL."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import shapely

from engine.catalog.filters.folds import without_accents, without_case
from engine.catalog.filters.instants import span_of_text
from engine.catalog.filters.meeting import Target, relates

GEOMETRIES_KEPT = 16
"""Geometries of filters that a connection keeps prepared."""


def install(connection: sqlite3.Connection) -> None:
    """Register the functions with a raw connection of SQLite, which one thread uses at a time."""
    targets = lru_cache(maxsize=GEOMETRIES_KEPT)(Target)

    def gdc_relates(relation: str, shape: bytes | None, geometry: bytes) -> bool | None:
        return None if shape is None else relates(relation, shapely.from_wkb(shape), targets(geometry))

    functions: tuple[tuple[int, Callable[..., Any]], ...] = (
        (3, gdc_relates),
        (1, gdc_first),
        (1, gdc_last),
        (1, gdc_casei),
        (1, gdc_accenti),
        (-1, gdc_calculate),
        (3, gdc_arrays),
    )
    for count, function in functions:
        connection.create_function(function.__name__, count, function, deterministic=True)


def gdc_first(text: str | None) -> int | None:
    """First microsecond since 1970 of a date or timestamp; None where the text is none."""
    span = span_of_text(text) if text is not None else None
    return span[0] if span else None


def gdc_last(text: str | None) -> int | None:
    """Last microsecond since 1970 of a date or timestamp; None where the text is none."""
    span = span_of_text(text) if text is not None else None
    return span[1] if span else None


def gdc_casei(text: str | None) -> str | None:
    """The text in lower case."""
    return None if text is None else without_case(text)


def gdc_accenti(text: str | None) -> str | None:
    """The text without accents."""
    return None if text is None else without_accents(text)


def gdc_calculate(program: str, *numbers: float | None) -> float | None:
    """What comes out of a program, or None where a number is missing or no result is a normal number.

    The program is a JSON list in postfix order: numbers, signs, and null for each of the numbers in turn.
    """
    stack: list[float] = []
    given = iter(numbers)
    for step in json.loads(program):
        if isinstance(step, str):
            right, left = stack.pop(), stack.pop()
            value = _result(step, left, right)
        else:
            value = next(given) if step is None else step
        if value is None:
            return None
        stack.append(value)
    return stack.pop()


def _result(sign: str, left: float, right: float) -> float | None:
    """What comes out as a double; None where that is not finite, or vanishes below the smallest one."""
    try:
        result = _ARITHMETIC[sign](left, right)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    vanished = result == 0 and left != 0 and (right != 0 if sign == "*" else sign in ("/", "^"))
    return None if vanished or not math.isfinite(result) else result


_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": float.__add__,
    "-": float.__sub__,
    "*": float.__mul__,
    "/": float.__truediv__,
    "^": math.pow,
    "%": math.fmod,
    "div": lambda left, right: float(math.trunc(left / right)),
}


def gdc_arrays(relation: str, left: str | None, right: str | None) -> bool | None:
    """Whether two JSON arrays, as sets, lie so to each other; None where one is null."""
    if left is None or right is None:
        return None
    try:
        one, other = _elements(left), _elements(right)
    except RecursionError:
        return None
    return {
        "a_contains": one >= other,
        "a_containedBy": one <= other,
        "a_equals": one == other,
        "a_overlaps": not one.isdisjoint(other),
    }[relation]


def _elements(text: str) -> set[tuple[str, Any]]:
    return {_element(value) for value in json.loads(text)}


def _element(value: Any) -> tuple[str, Any]:
    if isinstance(value, bool):
        return "truth", value
    if isinstance(value, int | float):
        return "number", value
    return "other", json.dumps(_alike(value), sort_keys=True)


def _alike(value: Any) -> Any:
    """The value with 1.0 written as 1."""
    if isinstance(value, list):
        return [_alike(part) for part in value]
    if isinstance(value, dict):
        return {name: _alike(part) for name, part in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


POSTGRES_DDL = (
    """
CREATE OR REPLACE FUNCTION gdc_number(value jsonb) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(value) = 'number' THEN
        CASE WHEN value::numeric = 0 OR abs(value::numeric) BETWEEN 5e-324 AND 1.7976931348623157e308
        THEN value::numeric::double precision END END
$$
""",
    r"""
CREATE OR REPLACE FUNCTION gdc_moment(value text, is_last boolean) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    part text[] := regexp_match(value, '^([0-9]{4})-([0-9]{2})-([0-9]{2})'
        || '(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2})))?$');
    begin_of_month date;
    micros bigint;
    shift bigint;
BEGIN
    IF part IS NULL OR part[1]::int < 1 OR part[2]::int NOT BETWEEN 1 AND 12 OR part[3]::int < 1 THEN
        RETURN NULL;
    END IF;
    begin_of_month := make_date(part[1]::int, part[2]::int, 1);
    IF part[3]::int > extract(day FROM begin_of_month + interval '1 month' - interval '1 day') THEN
        RETURN NULL;
    END IF;
    micros := (begin_of_month - date '1970-01-01' + part[3]::int - 1)::bigint * 86400000000;
    IF part[4] IS NULL THEN
        RETURN CASE WHEN is_last THEN micros + 86400000000 - 1 ELSE micros END;
    END IF;
    IF part[4]::int > 23 OR part[5]::int > 59 OR part[6]::int > 59
        OR coalesce(part[9]::int, 0) > 23 OR coalesce(part[10]::int, 0) > 59 THEN
        RETURN NULL;
    END IF;
    shift := coalesce((part[9]::int * 3600 + part[10]::int * 60) * CASE part[8] WHEN '-' THEN -1 ELSE 1 END, 0);
    RETURN micros + (part[4]::int * 3600 + part[5]::int * 60 + part[6]::int - shift) * 1000000
        + left(coalesce(part[7], '') || '000000', 6)::bigint;
END
$$
""",
    """
CREATE OR REPLACE FUNCTION gdc_first(value text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT gdc_moment(value, false) $$
""",
    """
CREATE OR REPLACE FUNCTION gdc_last(value text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT gdc_moment(value, true) $$
""",
    """
CREATE OR REPLACE FUNCTION gdc_casei(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT replace(lower(value COLLATE "und-x-icu"), 'ς', 'σ') $$
""",
    r"""
CREATE OR REPLACE FUNCTION gdc_accenti(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT normalize(regexp_replace(normalize(value, NFD), '[\u0300-\u036f]', '', 'g'), NFC)
$$
""",
    # What catches exceptions may not run in parallel.
    """
CREATE OR REPLACE FUNCTION gdc_calculate(sign text, one double precision, other double precision)
RETURNS double precision LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL UNSAFE AS $$
DECLARE
    rest double precision;
    step double precision;
BEGIN
    CASE sign
        WHEN '+' THEN RETURN one + other;
        WHEN '-' THEN RETURN one - other;
        WHEN '*' THEN RETURN one * other;
        WHEN '/' THEN RETURN one / other;
        WHEN '^' THEN RETURN power(one, other);
        WHEN 'div' THEN RETURN trunc(one / other);
        ELSE  -- the exact remainder: doubled and halved steps lose no digit
            IF other = 0 THEN RETURN NULL; END IF;
            rest := abs(one);
            step := abs(other);
            WHILE step <= rest / 2 LOOP step := step * 2; END LOOP;
            WHILE step >= abs(other) LOOP
                IF rest >= step THEN rest := rest - step; END IF;
                step := step / 2;
            END LOOP;
            RETURN CASE WHEN one < 0 THEN -rest ELSE rest END;
    END CASE;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$$
""",
    """
CREATE OR REPLACE FUNCTION gdc_arrays(relation text, one jsonb, other jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE relation
        WHEN 'a_contains' THEN NOT EXISTS (
            SELECT value FROM jsonb_array_elements(other) EXCEPT SELECT value FROM jsonb_array_elements(one))
        WHEN 'a_containedBy' THEN NOT EXISTS (
            SELECT value FROM jsonb_array_elements(one) EXCEPT SELECT value FROM jsonb_array_elements(other))
        WHEN 'a_equals' THEN NOT EXISTS (
            SELECT value FROM jsonb_array_elements(other) EXCEPT SELECT value FROM jsonb_array_elements(one))
            AND NOT EXISTS (
            SELECT value FROM jsonb_array_elements(one) EXCEPT SELECT value FROM jsonb_array_elements(other))
        WHEN 'a_overlaps' THEN EXISTS (
            SELECT value FROM jsonb_array_elements(one) INTERSECT SELECT value FROM jsonb_array_elements(other))
        END
$$
""",
    """
CREATE OR REPLACE FUNCTION gdc_around(shape geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ST_Union(ARRAY[ST_Translate(shape, -360, 0), shape, ST_Translate(shape, 360, 0)])
$$
""",
    """
CREATE OR REPLACE FUNCTION gdc_relates(relation text, item geometry, wish geometry, near geometry, at_edge boolean)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL UNSAFE AS $$
DECLARE
    single geometry := item;
    whole geometry;
BEGIN
    IF GeometryType(item) = 'GEOMETRYCOLLECTION' THEN
        single := ST_UnaryUnion(ST_CollectionHomogenize(item));
        IF GeometryType(single) = 'GEOMETRYCOLLECTION' THEN RETURN NULL; END IF;
    END IF;
    whole := CASE WHEN at_edge OR ST_XMin(single) <= -180 OR ST_XMax(single) >= 180
        THEN gdc_around(single) ELSE single END;
    CASE relation
        WHEN 's_within' THEN RETURN ST_Within(single, near);
        WHEN 's_contains' THEN RETURN ST_Contains(whole, wish);
        WHEN 's_touches' THEN RETURN ST_Touches(whole, wish);
        WHEN 's_equals' THEN RETURN ST_Covers(whole, wish) AND ST_Covers(near, single);
        WHEN 's_crosses' THEN RETURN ST_Crosses(single, near) AND NOT ST_Covers(whole, wish);
        WHEN 's_overlaps' THEN RETURN ST_Overlaps(single, near) AND NOT ST_Covers(whole, wish);
    END CASE;
EXCEPTION WHEN internal_error THEN  -- of GEOS, for footprints that are not valid
    RETURN NULL;
END
$$
""",
)
"""What PostgreSQL needs, a statement each; to be run again does no harm. The database has PostGIS and is in UTF-8."""
