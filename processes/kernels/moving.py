"""The loop that moves numbers of planes to other places, row by row."""

from __future__ import annotations

import numpy as np

from processes.kernels.loops import made_of

HAIR = 1e-6
"""Part of a cell by which a place may lie off the edge between two cells and still count as on it."""


def row_of(k, f, nodes, bends_down, bends_across, lines, bends):  # type: ignore[no-untyped-def]
    """Places at the nodes of a row of cells, and the bends between them: `f` steps below the `k`th row of nodes."""
    bow = f * (f - 1) / 2
    for c in range(2):
        for n in range(lines.shape[1]):
            lines[c, n] = nodes[c, k, n] + f * (nodes[c, k + 1, n] - nodes[c, k, n])
            lines[c, n] = lines[c, n] + bow * bends_down[c, k, n]
        for n in range(bends.shape[1]):
            bends[c, n] = bends_across[c, k, n] + f * (bends_across[c, k + 1, n] - bends_across[c, k, n])


def cell(c, r, origin, pitch, limits):  # type: ignore[no-untyped-def]
    """Where the cell is that a place lies in; -1 where the window has none."""
    west, east, north, south = limits
    c, r = c + HAIR, r + HAIR
    inside = (c >= west) & (c < east) & (r >= north) & (r < south)
    return np.int64(r) * pitch + np.int64(c) - origin if inside else -1


def corner(c, r, origin, pitch):  # type: ignore[no-untyped-def]
    """Where the first of the four cells around a place is, and the shares of those to its right and below it."""
    u, v = c - 0.5, r - 0.5
    left, above = np.floor(u), np.floor(v)
    return np.int64(above * pitch + (left - origin)), u - left, v - above


def amid(c, r, limits):  # type: ignore[no-untyped-def]
    """Are all four cells around a place in the window?"""
    west, east, north, south = limits
    u, v = c - 0.5, r - 0.5
    return (u >= west) & (u < east - 1) & (v >= north) & (v < south - 1)


def step_of(n, lines, bends):  # type: ignore[no-untyped-def]
    """What places in a step from node to node are made of: where it begins, the way to its end, and the bend."""
    c, r = lines[0, n], lines[1, n]
    return (c, lines[0, n + 1] - c, bends[0, n]), (r, lines[1, n + 1] - r, bends[1, n])


def on(way, part, bow):  # type: ignore[no-untyped-def]
    """A place on the way between two nodes."""
    start, length, bend = way
    return start + part * length + bow * bend


def side(across, down, limits):  # type: ignore[no-untyped-def]
    """Where all is on the way between two nodes: 1 well inside the window, -1 well outside, 0 somewhere else."""
    west, east, north, south = limits
    bend_c, bend_r = abs(across[2]) / 8 + 1.5, abs(down[2]) / 8 + 1.5
    c, r, last_c, last_r = across[0], down[0], across[0] + across[1], down[0] + down[1]
    low_c, high_c = min(c, last_c) - bend_c, max(c, last_c) + bend_c
    low_r, high_r = min(r, last_r) - bend_r, max(r, last_r) + bend_r
    if low_c > west and high_c < east and low_r > north and high_r < south:
        return 1
    return -1 if high_c < west or low_c > east or high_r < north or low_r > south else 0


def locate(row, frame, smooth, where, share_x, share_y):  # type: ignore[no-untyped-def]
    """The cells of a row in the old grid: the nearest, or the first of four with the shares of the others."""
    top, left, step, lines, bends, exact, patches, part, bow = row
    origin, pitch, limits = frame
    patch, x, n = patches.shape[2], np.uint64(0), left // step
    while x < np.uint64(where.size):
        end = np.uint64(min(where.size, (n + 1) * step - left))
        number = exact[top // patch, n * step // patch]
        across, down = step_of(n, lines, bends)
        beside = side(across, down, limits) if number < 0 else 0
        if beside < 0:
            for i in range(x, end):
                where[i], share_x[i], share_y[i] = 0 if smooth else -1, np.nan, np.nan
        elif beside > 0 and smooth:
            for i in range(x, end):
                c, r = on(across, part[i], bow[i]), on(down, part[i], bow[i])
                where[i], share_x[i], share_y[i] = corner(c, r, origin, pitch)
        elif number < 0 and not smooth:
            for i in range(x, end):
                c, r = on(across, part[i], bow[i]), on(down, part[i], bow[i])
                where[i] = cell(c, r, origin, pitch, limits)
        else:
            for i in range(x, end):
                c, r = on(across, part[i], bow[i]), on(down, part[i], bow[i])
                if number >= 0:
                    y, z = top % patch, (left + np.int64(i)) % patch
                    c, r = patches[0, number, y, z], patches[1, number, y, z]
                if not smooth:
                    where[i] = cell(c, r, origin, pitch, limits)
                elif amid(c, r, limits):
                    where[i], share_x[i], share_y[i] = corner(c, r, origin, pitch)
                else:
                    where[i], share_x[i], share_y[i] = 0, np.nan, np.nan
        n, x = n + 1, end


def gather(plane, where, pitch, four):  # type: ignore[no-untyped-def]
    """The four cells around each place."""
    one, below = np.uint64(1), np.uint64(pitch)  # unsigned, so that no index is looked at twice
    for x in range(where.size):
        k = np.uint64(where[x])
        four[0, x], four[1, x] = plane[k], plane[k + one]
        four[2, x], four[3, x] = plane[k + below], plane[k + below + one]


def mix(four, share_x, share_y, made, odd):  # type: ignore[no-untyped-def]
    """What lies between four cells; `odd` where this is NaN, as it is where one is missing. Says how many are odd."""
    count = 0
    for x in range(made.size):
        a, b = share_y[x], share_x[x]
        total = (1 - a) * (1 - b) * four[0, x] + (1 - a) * b * four[1, x]
        total = total + a * (1 - b) * four[2, x]
        total = total + a * b * four[3, x]
        made[x] = total
        odd[x] = total != total
        count += total != total
    return count


def lacks(value, gap):  # type: ignore[no-untyped-def]
    """Does a number stand for no-data?"""
    return value == gap or (gap != gap and value != value)


def some(plane, u, v, window, pitch, gapped, gap):  # type: ignore[no-untyped-def]
    """What lies between four cells, some of which are missing or have no data; `u` and `v` count from their centres."""
    top, left, height, width = window
    above, before = int(np.floor(v)), int(np.floor(u))
    a, b, i, j = v - above, u - before, above - top, before - left
    total, shares, full = 0.0, 0.0, True
    for n in range(4):
        r, s = i + n // 2, j + n % 2
        share = (a if n // 2 else 1 - a) * (b if n % 2 else 1 - b)
        there = r >= 0 and r < height and s >= 0 and s < width
        value = plane[r * pitch + s if there else 0]
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


def without(four, gap, odd):  # type: ignore[no-untyped-def]
    """Say of places where one of four cells has no data that they are odd, and how many these are."""
    count = 0
    for x in range(odd.size):
        gone = (four[0, x] == gap) | (four[1, x] == gap) | (four[2, x] == gap) | (four[3, x] == gap)
        odd[x] |= gone
        count += gone
    return count


def mend(plane, row, frame, window, told, odd, made):  # type: ignore[no-untyped-def]
    """The numbers of a row where they are odd: one of the four cells is missing or has no data."""
    top, left, step, lines, bends, exact, patches, part, bow = row
    origin, pitch, limits = frame
    gapped, gap, filler, low, high = told
    patch, x, n = patches.shape[2], 0, left // step
    while x < made.size:
        begin, end = x, min(made.size, (n + 1) * step - left)
        number = exact[top // patch, n * step // patch]
        across, down = step_of(n, lines, bends)
        n, x = n + 1, end
        if number < 0 and side(across, down, limits) < 0:
            made[begin:end] = filler
            continue
        for i in range(begin, end):
            if not odd[i]:
                continue
            made[i] = filler
            c, r = on(across, part[i], bow[i]), on(down, part[i], bow[i])
            if number >= 0:
                y, z = top % patch, (left + i) % patch
                c, r = patches[0, number, y, z], patches[1, number, y, z]
            near = cell(c, r, origin, pitch, limits)
            if near >= 0 and not (gapped and lacks(plane[near], gap)):
                total = some(plane, c - 0.5, r - 0.5, window, pitch, gapped, gap)
                made[i] = whole(total, low, high, gapped, gap) if low != -np.inf else total


@made_of(
    row_of,
    cell,
    corner,
    amid,
    step_of,
    on,
    side,
    locate,
    gather,
    mix,
    lacks,
    some,
    whole,
    without,
    mend,
)
def move(  # type: ignore[no-untyped-def]
    memory, starts, pitch, height, width, y0, x0, down, across, nodes, bends_down, bends_across, step, exact,
    patches, top, left, smooth, gapped, gap, filler, low, high, out, first, last,
):  # fmt: skip
    """Some rows of the part of the new grid, for all planes; a row's places are found once."""
    count, rounded = out.shape[2], low != -np.inf
    lines, bends = np.empty((2, nodes.shape[2])), np.empty((2, nodes.shape[2] - 1))
    where, four = np.empty(count, np.int64), np.empty((4, count), memory.dtype)
    share_x, share_y, totals = np.empty(count), np.empty(count), np.empty(count)
    odd = np.ones(count, np.bool_)
    west, east = float(max(x0, 0)), float(min(x0 + width, across))
    north, south = float(max(y0, 0)), float(min(y0 + height, down))
    part = (left + np.arange(count)) % step / step
    bow = part * (part - 1) / 2
    frame, window = (y0 * pitch + x0, pitch, (west, east, north, south)), (y0, x0, height, width)
    told, able = (gapped, gap, filler, low, high), height > 1 and width > 1
    for y in range(first, last):
        k = top + y
        row_of(k // step, k % step / step, nodes, bends_down, bends_across, lines, bends)
        row = (k, left, step, lines, bends, exact, patches, part, bow)
        locate(row, frame, smooth, where, share_x, share_y)
        for p in range(starts.size):
            plane, made, oddities = memory[starts[p] :], out[p, y], count
            if not smooth:
                for x in range(count):
                    made[x] = filler if where[x] < 0 else plane[np.uint64(where[x])]
                continue
            if able:
                gather(plane, where, pitch, four)
            if able and rounded:
                oddities = mix(four, share_x, share_y, totals, odd)
                for x in range(count):
                    made[x] = whole(totals[x], low, high, gapped, gap)
            elif able:
                oddities = mix(four, share_x, share_y, made, odd)
            if able and gapped and gap == gap:
                oddities += without(four, gap, odd)
            if oddities:
                mend(plane, row, frame, window, told, odd, made)
