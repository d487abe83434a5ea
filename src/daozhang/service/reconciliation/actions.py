"""Reading a bill whole: load, hold its totals against it, match, and write down what differs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from daozhang.alipay.bills import BillProblem, Side, Total, open_bill
from daozhang.service.bills import store as bills
from daozhang.service.bills.keeping import laid_out
from daozhang.service.bills.model import (
    FileStatus,
    Statement,
    StatementFile,
    StatementKind,
    StatementStatus,
)
from daozhang.service.db import Database, Tx
from daozhang.service.ids import new_id
from daozhang.service.reconciliation import account, matching, rules, store
from daozhang.service.reconciliation.account_checking import (
    items_kept,
    moved_since,
    outcome_of,
    told_of,
)
from daozhang.service.reconciliation.comparing import WRITTEN_MAX, Findings, compare_trade
from daozhang.service.reconciliation.learned import (
    POSTED,
    Posted,
    learned_since,
    open_days_before,
    posted_of,
)
from daozhang.service.reconciliation.loading import NOTHING, Loaded, load_account, load_trade
from daozhang.service.reconciliation.model import MismatchClass
from daozhang.service.reconciliation.pairing import Day
from daozhang.service.reconciliation.workbench import Bench, account_lines, trade_lines, workbench
from daozhang.service.turns import turn
from daozhang.service.web.context import Context

ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Reads bills. A job may die anywhere and be run again: it begins anew."""

    context: Context

    def run(self, statement_id: int) -> None:
        """Reads the file that stands for a statement, and writes down what differs.

        One bill of an Alipay account at a time: each is held against the days around it, and whoever
        writes last what was found has also seen it last. Others wait; never within a transaction. Of days
        before it of which more was learned since, the trade bills are read once more.
        """
        with self.context.database.read() as tx:
            statement = bills.find_by_id(tx, statement_id)
            assert statement is not None
        with turn_of(self.context.database, statement.environment, statement.seller_id):
            self._run(statement_id)
            if statement.kind is StatementKind.TRADE and not statement.is_month:
                with self.context.database.read() as tx:
                    again = learned_since(tx, statement)
                for earlier in again:
                    self._run(earlier)

    def _run(self, statement_id: int) -> None:
        with self.context.database.read() as tx:
            statement = bills.find_by_id(tx, statement_id)
            assert statement is not None
            file = None if statement.file_id is None else bills.find_file(tx, statement.file_id)
            before = account.before_lines(tx, statement)
            posted = posted_of(tx, statement)
        if file is None:
            if statement.status is StatementStatus.NONE:
                self._nothing(statement, before, posted)
            return
        reading = account.Reading()
        with laid_out(self.context, file) as path:
            try:
                with (
                    open_bill(path, file.name) as files,
                    workbench(self.context.database, self.context.settings.data_dir) as bench,
                ):
                    if statement.kind is StatementKind.TRADE:
                        findings = self._trade(bench, statement, load_trade(bench, files), posted)
                    else:
                        findings = Findings(load_account(bench, files))
                        reading = account.read_lines(bench, statement, before)
            except BillProblem as problem:
                self._hold(statement, file, None, problem)
                return
        if findings.loaded.differences:
            self._hold(statement, file, findings.loaded, None)
            return
        if statement.kind is StatementKind.ACCOUNT and not statement.is_month:
            self._account(statement, reading, findings)
        self._write(statement, file, findings)

    # ---- comparing

    def _trade(
        self, bench: Bench, statement: Statement, loaded: Loaded, posted: Posted
    ) -> Findings:
        found = Findings(loaded)
        found.figures[POSTED] = posted
        if loaded.differences or statement.is_month:
            return found
        day = self._day_beside(bench, statement)
        found.fee_ppm = day.fee_ppm
        compare_trade(bench, day, found)
        return found

    def _account(self, statement: Statement, reading: account.Reading, found: Findings) -> None:
        """Posts what only the account bill tells, and holds the day against the ledger."""
        account.post_day(self.context.database, statement, reading)
        self._look_again(statement)
        self._compare_account(statement, reading, found)

    def _look_again(self, statement: Statement) -> None:
        """Holds days before it that are not closed against the ledger once more, oldest first: of some,
        more was learned since their bills were read."""
        with self.context.database.read() as tx:
            there = open_days_before(tx, statement)
        for one in there:
            with self.context.database.read() as tx:
                moved = moved_since(tx, one)
                run, told = store.last_run(tx, one.id), told_of(tx, one)
            if run is None or moved in (None, (0, 0)):
                continue
            if moved[0] != moved[1]:
                self._run(one.id)  # of the day itself something was learned
                continue
            kept = Findings(replace(NOTHING, line_count=run.line_count))
            self._compare_account(one, account.Reading(told, items=items_kept(run)), kept)
            self._write_run(one, run.file_id, kept)

    def _compare_account(
        self, statement: Statement, reading: account.Reading, found: Findings
    ) -> None:
        with self.context.database.read() as tx:
            outcome = outcome_of(tx, statement, reading.day, reading.items)
        found.figures |= outcome.figures
        found.matched_count = outcome.matched_count
        found.matched_minor = outcome.matched_minor
        for day, keys in outcome.cut.items():
            found.cut[day] += keys
        for off in outcome.off:
            found.add(
                off.mismatch,
                off.key,
                (off.theirs or 0) - (off.ours or 0),
                merchant_id=off.merchant_id,
                order_id=off.order_id,
                trade_no=None,
                out_trade_no=off.out_trade_no,
                ours_minor=off.ours,
                theirs_minor=off.theirs,
                evidence=off.evidence,
            )

    def _day_beside(self, bench: Bench, statement: Statement) -> Day:
        """What the statement is compared with, read on the bench's own connection."""
        where = (statement.environment, statement.seller_id)
        return Day(
            environment=statement.environment,
            seller_id=statement.seller_id,
            day=statement.first,
            since=statement.since,
            until=statement.until,
            fee_ppm=matching.fee_ppm_of(bench, *where),
            merchants=matching.merchants_of(bench, *where),
        )

    # ---- writing

    def _write(self, statement: Statement, file: StatementFile, found: Findings) -> None:
        self._write_run(statement, file.id, found)
        with self.context.database.begin() as tx:
            now = self.context.clock.now()
            self._end(tx, statement, file, found.loaded, StatementStatus.READY, None, now)

    def _write_run(self, statement: Statement, file_id: int | None, found: Findings) -> None:
        """Writes down what was found, and ends what was not found again."""
        now = self.context.clock.now()
        prefixes = self._prefixes(statement)
        with self.context.database.begin() as tx:
            run_id = store.insert_run(tx, self._run_row(statement, file_id, found, now))
        for rows in found.rows.take(ROWS_AT_ONCE):
            made = [self._row(statement, one, prefixes, run_id, now) for one in rows]
            with self.context.database.begin() as tx:
                store.put_mismatches(tx, made)
        if statement.is_month:
            return
        where = (statement.environment, statement.seller_id, statement.kind.value)
        capped = [name for name, count in found.counts.items() if count > WRITTEN_MAX]
        with self.context.database.begin() as tx:
            store.resolve_unseen(tx, *where, statement.first, run_id, now, but=capped)
            store.resolve_cut(tx, *where, found.cut, now)
            store.mark_billed(tx, found.billed, statement.first)

    def _run_row(
        self, statement: Statement, file_id: int | None, found: Findings, now: datetime
    ) -> dict[str, Any]:
        return {
            "statement_id": statement.id,
            "file_id": file_id,
            "at": now,
            "line_count": found.loaded.line_count,
            "matched_count": found.matched_count,
            "matched_minor": found.matched_minor,
            "counts": {
                name: {"count": count, "minor": found.sums[name]}
                for name, count in found.counts.items()
            },
            "figures": {"day_cut": sum(len(keys) for keys in found.cut.values())} | found.figures,
        }

    def _row(
        self,
        statement: Statement,
        found: Mapping[str, Any],
        prefixes: list[str],
        run_id: int,
        now: datetime,
    ) -> dict[str, Any]:
        row: dict[str, Any] = {
            "public_id": new_id("mm", now),
            "environment": statement.environment,
            "seller_id": statement.seller_id,
            "kind": statement.kind.value,
            "day": statement.first,
            "out_request_no": None,
            **found,
            "first_seen_at": now,
            "last_run_id": run_id,
            "resolution": None,
            "resolved_at": None,
        }
        here = row["mismatch"] == MismatchClass.MISSING_HERE.value
        if here and rules.is_foreign(row["out_trade_no"] or "", prefixes):
            row |= {
                "mismatch": MismatchClass.FOREIGN.value,
                "resolution": "set_aside",
                "resolved_at": now,
            }
        return row

    def _prefixes(self, statement: Statement) -> list[str]:
        with self.context.database.read() as tx:
            return store.list_prefixes(tx, statement.environment, statement.seller_id)

    def _nothing(self, statement: Statement, before: account.Before, posted: Posted) -> None:
        """Alipay says that nothing happened: what the books have of that day is missing there."""
        if statement.is_month:
            return
        found, reading = Findings(NOTHING), account.Reading()
        with workbench(self.context.database, self.context.settings.data_dir) as bench:
            if statement.kind is StatementKind.TRADE:
                bench.lay_out(trade_lines)
                found = self._trade(bench, statement, NOTHING, posted)
            else:
                bench.lay_out(account_lines)
                reading = account.read_lines(bench, statement, before)
        if statement.kind is StatementKind.ACCOUNT:
            self._account(statement, reading, found)
        self._write_run(statement, None, found)

    def _hold(
        self,
        statement: Statement,
        file: StatementFile,
        loaded: Loaded | None,
        problem: BillProblem | None,
    ) -> None:
        with self.context.database.begin() as tx:
            now = self.context.clock.now()
            self._end(tx, statement, file, loaded, StatementStatus.HELD, problem, now)

    def _end(
        self,
        tx: Tx,
        statement: Statement,
        file: StatementFile,
        loaded: Loaded | None,
        status: StatementStatus,
        problem: BillProblem | None,
        now: datetime,
    ) -> None:
        current = bills.find_by_id(tx, statement.id, lock=True)
        if current is None or current.file_id != file.id:
            return  # another was chosen meanwhile, and is read after this one
        held = status is StatementStatus.HELD
        said = None if problem is None else {"say": str(problem), "say_zh": problem.say_zh}
        bills.update_file(
            tx,
            file.id,
            status=(FileStatus.HELD if held else FileStatus.READY).value,
            problem=said,
            line_count=None if loaded is None else loaded.line_count,
            totals=None if loaded is None else _totals_content(loaded.totals),
            differences=[]
            if loaded is None
            else [{"say": one.say, "say_zh": one.say_zh} for one in loaded.differences],
            new_columns=[] if loaded is None else list(loaded.new_columns),
        )
        bills.update_statement(tx, statement.id, status=status.value, updated_at=now)


def turn_of(database: Database, environment: str, seller_id: str) -> AbstractContextManager[None]:
    """The turn of whoever reads a bill of that Alipay account, or needs that nobody does: see `turn`."""
    return turn(database, f"bills {environment} {seller_id}")


def _totals_content(totals: Mapping[Side, Total]) -> dict[str, Any]:
    return {
        side.value: {
            "count": total.count,
            "amount": str(total.amount),
            **({} if total.discount is None else {"discount": str(total.discount)}),
        }
        for side, total in totals.items()
    }
