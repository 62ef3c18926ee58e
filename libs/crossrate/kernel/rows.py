"""Kernel functions over rows: one number a row for some arguments, a row of points for others.

The C function is `int64_t name(int64_t count, int64_t points, columns..., tables..., outputs..., uint8_t *status)`,
with an output a row; the index of a refused element of a table is row * points + place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from crossrate.kernel import path
from crossrate.kernel.domain import Rule
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError, unpack
from crossrate.kernel.front import MEANS, Array, in_threads, numbers, pointer, threads_of

QUANTUM = 64
FIRST_PLACE = 2


class Rowwise:
    """A kernel function over rows, callable on arrays.

    Args:
        name: the C function.
        columns: arguments with one number a row, and what they may be, in C's order.
        tables: arguments with a row of points a row, after the columns.
        outputs: the results' names.
        twin: takes clean columns and tables of rows and gives the outputs, and last an array of reasons, a row each.
        points: how many points a row may have, least and most.
        blame: the table that the twin's reasons are about.
        ascending: the table whose rows must ascend.
    """

    def __init__(
        self,
        name: str,
        columns: Mapping[str, Rule],
        tables: Mapping[str, Rule],
        outputs: Sequence[str],
        twin: Callable[..., tuple[Array, ...]],
        *,
        points: tuple[int, int],
        blame: str,
        ascending: str = "",
    ):
        self.name = name
        self.columns = dict(columns)
        self.tables = dict(tables)
        self.outputs = tuple(outputs)
        self.twin = twin
        self.points = points
        self.blame = blame
        self.ascending = ascending

    def __call__(
        self, columns: Sequence[Any], tables: Sequence[Any], threads: int, with_status: bool
    ) -> tuple[Array, ...]:
        """The outputs, and with `with_status` the reasons (uint8) after them, where refused rows give NaN.

        Raises:
            ArgumentError: a row was refused, and `with_status` is off.
            ShapeError: tables are not matrices of one shape, or columns have not a number a row.
            TypeError: an argument is not numeric or has another dtype.
        """
        wide = [numbers(name, value) for name, value in zip(self.tables, tables, strict=True)]
        shape = self._shape(wide)
        narrow = [self._column(name, value, shape[0]) for name, value in zip(self.columns, columns, strict=True)]
        outputs = [np.empty(shape[0]) for _ in self.outputs]
        status = np.zeros(shape[0], np.uint8) if with_status else None
        run = self._twin if path.is_numpy() else self._compiled
        fault = run(narrow, wide, outputs, status, threads)
        if fault:
            raise self._error(fault, (*narrow, *wide))
        return (*outputs, status) if status is not None else tuple(outputs)

    def _shape(self, tables: Sequence[Array]) -> tuple[int, int]:
        for name, table in zip(self.tables, tables, strict=True):
            if table.ndim != 2 or table.shape != tables[0].shape:
                first = next(iter(self.tables))
                raise ShapeError(
                    f"{name} has shape {table.shape}, {first} has {tables[0].shape}: both need (rows, points)"
                )
            if not self.points[0] <= table.shape[1] <= self.points[1]:
                least, most = self.points
                raise ShapeError(f"{name} has {table.shape[1]} points a row: from {least} to {most} are needed")
        rows, points = tables[0].shape
        return rows, points

    @staticmethod
    def _column(name: str, value: Any, rows: int) -> Array:
        column = numbers(name, value)
        if column.ndim == 0:
            return np.full(rows, column[()])
        if column.shape != (rows,):
            raise ShapeError(f"{name} has shape {column.shape}: a number, or ({rows},), one for each row, is needed")
        return column

    def _error(self, fault: int, given: Sequence[Array]) -> ArgumentError:
        reason, place, index = unpack(fault)
        rules = {**self.columns, **self.tables}
        name = tuple(rules)[place - FIRST_PLACE]
        values = given[place - FIRST_PLACE]
        at: int | tuple[int, ...] = index
        if values.ndim == 2:
            at = (index // values.shape[1], index % values.shape[1])
        says = rules[name].says if reason in (Reason.NOT_FINITE, Reason.OUT_OF_RANGE) else MEANS[reason]
        return ArgumentError(name, at, reason, values.reshape(-1)[index].item(), says)

    def _compiled(
        self, columns: list[Array], tables: list[Array], outputs: list[Array], status: Array | None, threads: int
    ) -> int:
        function = getattr(path.lib, self.name)
        count, points = tables[0].shape

        def work(start: int, stop: int) -> int:
            views = [pointer(each[start:stop]) for each in (*columns, *tables, *outputs)]
            state = path.ffi.NULL if status is None else pointer(status[start:stop])
            fault: int = function(stop - start, points, *views, state)
            if not fault:
                return 0
            in_table = unpack(fault)[1] >= FIRST_PLACE + len(columns)
            return fault + (start * points if in_table else start)

        return in_threads(work, count, threads, QUANTUM)

    def _twin(
        self, columns: list[Array], tables: list[Array], outputs: list[Array], status: Array | None, threads: int
    ) -> int:
        threads_of(threads)
        count, points = tables[0].shape
        reasons, places, indices = np.zeros((3, count), np.int64)

        def blame(refused: Array, place: int, index: Array) -> None:
            new = (reasons == 0) & (refused > 0)
            reasons[new], places[new], indices[new] = refused[new], place, index[new]

        rows = np.arange(count)
        for place, (rule, column) in enumerate(zip(self.columns.values(), columns, strict=True), FIRST_PLACE):
            blame(rule.refused(column), place, rows)
        first_table = FIRST_PLACE + len(columns)
        for place, (rule, table) in enumerate(zip(self.tables.values(), tables, strict=True), first_table):
            refused = rule.refused(table)
            at = np.argmax(refused > 0, axis=1)
            blame(refused[rows, at], place, rows * points + at)
        if self.ascending:
            place = tuple(self.tables).index(self.ascending)
            falls = ~(np.diff(tables[place], axis=1) > 0.0)
            at = np.argmax(falls, axis=1)
            refused = np.where(falls[rows, at], Reason.NOT_ASCENDING, 0)
            blame(refused, first_table + place, rows * points + at + 1)
        clean = reasons == 0
        for output in outputs:
            output[:] = np.nan
        *results, why = self.twin(*(each[clean] for each in (*columns, *tables)))
        for output, result in zip(outputs, results, strict=True):
            output[clean] = result
        missing = np.zeros(count, np.int64)
        missing[clean] = why
        blame(missing, first_table + tuple(self.tables).index(self.blame), rows * points)
        if status is not None:
            status[:] = reasons
            return 0
        if not reasons.any():
            return 0
        row = int(np.argmax(reasons > 0))
        return int(reasons[row]) << 56 | int(places[row]) << 48 | int(indices[row])
