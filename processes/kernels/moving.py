"""The loop that moves numbers of planes to other places."""

from __future__ import annotations

import numpy as np

from processes.kernels.loops import made_of

HAIR = 1e-6
"""Part of a cell by which a place may lie off the edge between two cells and still count as on it."""


def locate(  # type: ignore[no-untyped-def]
    y, top, left, step, nodes, bends_down, bends_across, exact, patches, part, bow, lines, bends, places
):
    """The places of a row of cells; `part` and `bow` tell how far each cell is from a node, and the bend there."""
    k, f = (top + y) // step, ((top + y) % step) / step
    for c in range(2):
        for n in range(nodes.shape[2]):
            lines[c, n] = nodes[c, k, n] + f * (nodes[c, k + 1, n] - nodes[c, k, n])
            lines[c, n] = lines[c, n] + f * (f - 1) / 2 * bends_down[c, k, n]
        for n in range(bends.shape[1]):
            bends[c, n] = bends_across[c, k, n] + f * (bends_across[c, k + 1, n] - bends_across[c, k, n])
    patch, x = patches.shape[2], 0
    while x < places.shape[1]:
        n = (left + x) // step
        end = min(places.shape[1], (n + 1) * step - left)
        number = exact[(top + y) // patch, (left + x) // patch]
        for c in range(2):
            found, f, g = places[c, x:end], part[x:end], bow[x:end]
            start, way, bend = lines[c, n], lines[c, n + 1] - lines[c, n], bends[c, n]
            if number >= 0:
                for i in range(found.size):
                    found[i] = patches[c, number, (top + y) % patch, (left + x + i) % patch]
            else:
                for i in range(found.size):
                    found[i] = start + f[i] * way + g[i] * bend
        x = end


def cell(c, r, x0, y0, width, limits):  # type: ignore[no-untyped-def]
    """The number of the cell in the window that a place lies in; -1 where there is none."""
    west, east, north, south = limits
    c, r = c + HAIR, r + HAIR
    inside = (c >= west) & (c < east) & (r >= north) & (r < south)
    return (int(r) - y0) * width + int(c) - x0 if inside else -1


def corners(places, x0, y0, width, limits, four, share_x, share_y):  # type: ignore[no-untyped-def]
    """For each place the number of the first of the four cells around it, -1 where one of these is missing."""
    west, east, north, south = limits
    for x in range(four.size):
        u, v = places[0, x] - 0.5, places[1, x] - 0.5
        left_of, above = np.floor(u), np.floor(v)
        share_x[x], share_y[x] = u - left_of, v - above
        inside = (left_of >= west) & (left_of < east - 1) & (above >= north) & (above < south - 1)
        four[x] = (int(above) - y0) * width + int(left_of) - x0 if inside else -1


def lacks(value, gap):  # type: ignore[no-untyped-def]
    """Does a number stand for no-data?"""
    return value == gap or (gap != gap and value != value)


def some(plane, i, j, width, a, b, gapped, gap):  # type: ignore[no-untyped-def]
    """What lies between four cells, some of which are missing or have no data."""
    total, shares, full = 0.0, 0.0, True
    for n in range(4):
        r, s = i + n // 2, j + n % 2
        share = (a if n // 2 else 1 - a) * (b if n % 2 else 1 - b)
        there = r >= 0 and r < plane.size // width and s >= 0 and s < width
        value = plane[r * width + s if there else 0]
        if there and not (gapped and lacks(value, gap)):
            total += share * value
            shares += share
        else:
            full = False
    return total if full else total / shares


def whole(total, low, high, gapped, gap):  # type: ignore[no-untyped-def]
    """A number as an integer of a type, and never what stands for no-data."""
    rounded = min(max(np.floor(total + 0.5), low), high)
    if gapped and rounded == gap:
        rounded += 1 if rounded == low else -1
    return rounded


@made_of(locate, cell, corners, lacks, some, whole)
def move(  # type: ignore[no-untyped-def]
    cells, y0, x0, down, across, nodes, bends_down, bends_across, step, exact, patches, top, left,
    smooth, gapped, gap, filler, low, high, out, first, last,
):  # fmt: skip
    """Some rows of the part of the new grid, for all planes; a row's places are found once."""
    height, width, count = cells.shape[1], cells.shape[2], out.shape[2]
    lines, bends = np.empty((2, nodes.shape[2])), np.empty((2, nodes.shape[2] - 1))
    places, four = np.empty((2, count)), np.empty(count, np.int64)
    share_x, share_y = np.empty(count), np.empty(count)
    limits = (
        float(max(x0, 0)),
        float(min(x0 + width, across)),
        float(max(y0, 0)),
        float(min(y0 + height, down)),
    )
    nan_gap, rounded = gapped and gap != gap, low != -np.inf
    one, below = np.uint64(1), np.uint64(width)  # unsigned, so that no index is looked at twice
    part = (left + np.arange(count)) % step / step
    bow = part * (part - 1) / 2
    flat = cells.reshape(cells.shape[0], height * width)
    for y in range(first, last):
        locate(
            y,
            top,
            left,
            step,
            nodes,
            bends_down,
            bends_across,
            exact,
            patches,
            part,
            bow,
            lines,
            bends,
            places,
        )
        if smooth:
            corners(places, x0, y0, width, limits, four, share_x, share_y)
        else:
            for x in range(count):
                four[x] = cell(places[0, x], places[1, x], x0, y0, width, limits)
        for p in range(cells.shape[0]):
            plane, made = flat[p], out[p, y]
            if not smooth:
                for x in range(count):
                    made[x] = filler if four[x] < 0 else plane[np.uint64(four[x])]
                continue
            for x in range(count):
                a, b = share_y[x], share_x[x]
                if four[x] >= 0:
                    k = np.uint64(four[x])
                    e, f, g, h = plane[k], plane[k + one], plane[k + below], plane[k + below + one]
                    full = not gapped
                    if nan_gap:
                        full = e == e and f == f and g == g and h == h
                    elif gapped:
                        full = e != gap and f != gap and g != gap and h != gap
                    if full:
                        total = (1 - a) * (1 - b) * e + (1 - a) * b * f
                        total = total + a * (1 - b) * g
                        total = total + a * b * h
                        made[x] = whole(total, low, high, gapped, gap) if rounded else total
                        continue
                made[x] = filler
                near = cell(places[0, x], places[1, x], x0, y0, width, limits)
                if near >= 0 and not (gapped and lacks(plane[near], gap)):
                    i, j = int(np.floor(places[1, x] - 0.5)) - y0, int(np.floor(places[0, x] - 0.5)) - x0
                    total = some(plane, i, j, width, a, b, gapped, gap)
                    made[x] = whole(total, low, high, gapped, gap) if rounded else total
