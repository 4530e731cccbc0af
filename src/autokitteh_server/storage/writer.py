"""The one door for writing: many threads' work, few commits.

A commit costs a third of a millisecond of waiting for the disk, whatever is in it. So whoever comes while another's
commit is under way queues, and the next commit carries all that has queued. There is no writer thread. Of the threads
that want something written one leads at a time: it takes the queue, runs it in one transaction, commits, and wakes the
others whose work was in it. A thread that is alone leads itself and never waits for another, for with one session a
hop to another thread would cost as much as the commit.

Within a group, records come first and functions after them, but a session's work keeps its order. That is no less
serial than the order of arrival: all of it is concurrent, since nobody has been told anything yet.

When the connection breaks before COMMIT was sent, the group runs again on another. When it breaks *during* COMMIT,
nobody knows whether the commit happened. Looking for the rows would answer that only for records with a place, so
everybody in the group gets StorageUnavailable instead, and the session's turn starts anew under a new claim, which
reads from the journal what is there.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from autokitteh_server.core.errors import Fenced, InternalError, ServerError
from autokitteh_server.core.journal import Record
from autokitteh_server.storage import journal
from autokitteh_server.storage.dialects import Dialect, Failure, raw_of
from autokitteh_server.storage.errors import StorageUnavailable

T = TypeVar("T")

#: Most pieces of work in one transaction. Bounds how long the first of them waits, and how much is lost together.
GROUP_ITEMS = 1000

#: So many records may be queued with nobody waiting for them; then whoever appends waits for their commit.
LOOSE_RECORDS = 1000

#: Pauses before a group that met a passing trouble runs again.
RETRY_PAUSES_S = (0.01, 0.1, 0.5, 2.0, 5.0)


@dataclass(slots=True, eq=False)
class _Item:
    """One piece of work, and what became of it."""

    session_id: str | None = None  # None: for no session, unfenced
    epoch: int = 0
    prepared: journal.Prepared | None = None
    fn: Callable[[Connection], Any] | None = None
    # Held until it is done or its thread is to lead; None: nobody waits. (In quotes: before 3.13 Lock is no class.)
    waiting: "threading.Lock | None" = None
    promoted: bool = False  # its thread is to lead
    done: bool = False
    result: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class _Outcome:
    """What one attempt at a group has come to. Counts only once it is committed."""

    results: dict[_Item, Any] = field(default_factory=dict)
    errors: dict[_Item, Exception] = field(default_factory=dict)


class _TryAgain(Exception):
    """The group has been rolled back, and may run again; `careful`: with each session's records by themselves."""

    def __init__(self, cause: Exception, *, careful: bool) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.careful = careful


class Writer:
    """Group commit over a single connection. All methods may be called from any thread, but not from within a `fn`.

    Work that fails for a reason of the store's (StorageUnavailable, DoubledRecord) spoils its session at that epoch:
    all later work of the session raises the same, until it is claimed anew. Otherwise a record could be missing in
    the middle.
    """

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        self._engine = engine
        self._dialect = dialect
        self._mutex = threading.Lock()  # guards the four below; held for moments
        self._queue: deque[_Item] = deque()
        self._loose = 0  # records in the queue that nobody waits for
        self._leader: int | None = None  # ident of the thread that leads, or has been told to
        self._closed = False
        # These belong to whoever leads.
        self._conn: Connection | None = None
        self._raw: Any = None  # the driver's connection beneath it
        self._spoilt: dict[str, tuple[int, ServerError]] = {}
        self.commits = 0  # groups committed so far; for tests and benchmarks

    # What callers want.

    def append(self, session_id: str, epoch: int, records: Sequence[Record]) -> None:
        """Queue records, to be committed with whatever commits next. Keeps the session's order.

        Never raises Fenced: if the session is fenced they are dropped, and its next `commit` says so. Waits for a
        commit only if very much is queued.
        """
        prepared = journal.prepare(session_id, records)
        with self._mutex:
            self._enqueue(_Item(session_id, epoch, prepared))
            self._loose += len(prepared.rows)
            full = self._loose > LOOSE_RECORDS and self._leader is None
        if full:
            self.flush()

    def commit(self, session_id: str, epoch: int, records: Sequence[Record] = ()) -> None:
        """Return once these records and all that the session queued before are durable.

        Raises Fenced if the session is not at `epoch` any more; then none of them is written. Raises
        StorageUnavailable if they may or may not be.
        """
        self._submit(_Item(session_id, epoch, journal.prepare(session_id, records) if records else None))

    def transact(self, session_id: str, epoch: int, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction after all that the session queued before, and return its result once durable.

        An exception from `fn` undoes what it did, nothing else, and is raised here. Raises Fenced as `commit` does.
        `fn` may run more than once, so it must touch nothing but its connection; and it must neither commit nor roll
        back.
        """
        result: T = self._submit(_Item(session_id, epoch, fn=fn))
        return result

    def write(self, fn: Callable[[Connection], T]) -> T:
        """`transact` for no session in particular: nothing is fenced."""
        result: T = self._submit(_Item(fn=fn))
        return result

    def flush(self) -> None:
        """Return once all that has been queued so far is durable. Raises StorageUnavailable."""
        self._submit(_Item())

    def close(self) -> None:
        """Flush, and let go of the connection. Whatever is called afterwards raises StorageUnavailable."""
        with self._mutex:
            if self._closed:
                return
            if self._conn is None and self._leader is None and not self._queue:
                self._closed = True  # nothing to flush; a store that could not be opened must not be asked again
                return
        try:
            self._submit(_Item(), last=True)
        finally:
            self._drop_connection()

    @property
    def queued(self) -> int:
        """How many pieces of work wait for the next group. For tests and metrics."""
        return len(self._queue)

    # Leading and following.

    def _enqueue(self, item: _Item) -> None:
        if self._closed:
            raise StorageUnavailable("the store is closed")
        self._queue.append(item)

    def _submit(self, item: _Item, *, last: bool = False) -> Any:
        if self._leader == threading.get_ident():
            raise InternalError("a function that runs in a transaction asked the writer for another")
        item.waiting = threading.Lock()
        item.waiting.acquire()
        with self._mutex:
            self._enqueue(item)
            self._closed = last
            leads = self._leader is None
            if leads:
                self._leader = threading.get_ident()
        if not leads:
            leads = self._follow(item)
        if leads:
            self._lead(item)
        if item.error is not None:
            raise item.error
        return item.result

    def _follow(self, item: _Item) -> bool:
        """Wait until the item is done, or its thread is to lead. Returns whether it is."""
        assert item.waiting is not None
        try:
            item.waiting.acquire()
        except BaseException:  # Ctrl-C: the work stays queued, but nobody may count on this thread
            with self._mutex:
                item.waiting = None
                promoted = item.promoted and not item.done
            if promoted:
                self._pass_on()
            raise
        if item.done:
            return False
        self._leader = threading.get_ident()
        return True

    def _lead(self, own: _Item) -> None:
        """Run groups until the own item is done, then pass on."""
        try:
            while not own.done:
                with self._mutex:
                    group = [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_ITEMS))]
                    self._loose = 0 if not self._queue else self._loose
                self._run(group)
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        """Make the first thread that waits the leader. A leader does not go on for others: its own caller waits."""
        with self._mutex:
            heir = next((item for item in self._queue if item.waiting is not None), None)
            if heir is None:
                self._leader = None
                return
            heir.promoted = True
            self._leader = -1  # somebody, who has yet to wake up
            assert heir.waiting is not None
            heir.waiting.release()

    # Running a group.

    def _run(self, group: Sequence[_Item]) -> None:
        """Run, commit, and wake who waits. Whatever happens, nobody is left waiting."""
        failure: BaseException = StorageUnavailable("the transaction was interrupted")
        outcome = None
        try:
            outcome = self._run_until_committed(group)
        except Exception as error:
            failure = error
        finally:
            for item in group:
                if outcome is not None:
                    item.result, item.error = outcome.results.get(item), outcome.errors.get(item)
                else:
                    item.error = self._spoil(item, failure)
                item.done = True
                with self._mutex:
                    if item.waiting is not None:
                        item.waiting.release()

    def _spoil(self, item: _Item, cause: BaseException) -> ServerError:
        error = StorageUnavailable(f"the store cannot be written: {cause}", "Look at the disk and the database server.")
        error.__cause__ = cause
        if item.session_id is not None:
            self._spoilt[item.session_id] = (item.epoch, error)
        return error

    def _run_until_committed(self, group: Sequence[_Item]) -> _Outcome:
        careful = False
        pauses = iter(RETRY_PAUSES_S)
        while True:
            try:
                return self._run_once(group, careful=careful)
            except _TryAgain as again:
                if again.careful:
                    careful = True
                    continue
                pause = next(pauses, None)
                if pause is None:
                    raise again.cause from None
                threading.Event().wait(pause)

    def _run_once(self, group: Sequence[_Item], *, careful: bool) -> _Outcome:
        committing = False
        try:
            conn = self._connection()
            attempt = _Attempt(conn, self._raw, self._dialect, self._spoilt, careful=careful)
            outcome = attempt.run(group)
            committing = True
            conn.commit() if conn.in_transaction() else self._raw.commit()
        except BaseException as error:
            trouble = self._dialect.classify(error, self._raw)
            self._rollback(keep_connection=not committing and trouble is Failure.REFUSED)
            if committing or not isinstance(error, Exception) or trouble is Failure.UNAVAILABLE:
                raise
            if trouble is Failure.REFUSED and careful:
                raise
            raise _TryAgain(error, careful=trouble is Failure.REFUSED) from error
        self.commits += 1
        for session_id, spoilt in attempt.newly_spoilt.items():
            self._spoilt[session_id] = spoilt
        return outcome

    def _connection(self) -> Connection:
        if self._conn is None:
            self._conn = self._engine.connect()
            self._raw = raw_of(self._conn)
        return self._conn

    def _rollback(self, *, keep_connection: bool) -> None:
        if keep_connection and self._conn is not None:
            try:
                self._raw.rollback()
                self._conn.rollback()
                return
            except Exception:  # then another connection, too, will start from what was committed
                pass
        self._drop_connection()

    def _drop_connection(self) -> None:
        conn, self._conn, self._raw = self._conn, None, None
        if conn is None:
            return
        try:
            conn.invalidate()  # closes the driver's connection, which rolls back
            conn.close()
        except Exception:
            pass  # it was broken already, which is why it is dropped


class _Attempt:
    """One group in one transaction, up to but without the commit."""

    def __init__(
        self,
        conn: Connection,
        raw: Any,
        dialect: Dialect,
        spoilt: dict[str, tuple[int, ServerError]],
        *,
        careful: bool,
    ) -> None:
        self._conn = conn
        self.raw = raw
        self._dialect = dialect
        self._spoilt = spoilt
        self._careful = careful
        self._epochs: dict[str, int] = {}
        self._outcome = _Outcome()
        self.newly_spoilt: dict[str, tuple[int, ServerError]] = {}

    def run(self, group: Sequence[_Item]) -> _Outcome:
        self._dialect.begin(self.raw)
        if session_ids := {item.session_id for item in group if item.session_id is not None}:
            self._epochs = self._dialect.load_epochs(self.raw, session_ids)
        leading, rest = _split(group)
        self._insert([item for item in leading if self._admit(item)])
        fence_is_fresh = True
        for item in rest:
            # A function may have changed epochs; and what comes after it in the same group must see that.
            if item.session_id is not None and not fence_is_fresh:
                self._epochs = self._dialect.load_epochs(self.raw, [item.session_id])
            if not self._admit(item):
                continue
            if item.fn is None:
                self._insert([item])
            else:
                self._call(item, item.fn)
                fence_is_fresh = False
        return self._outcome

    def _admit(self, item: _Item) -> bool:
        """Whether an item may write. If not, its error is noted."""
        if item.session_id is None:
            return True
        epoch = self._epochs.get(item.session_id)
        if epoch != item.epoch:
            self._outcome.errors[item] = Fenced(
                f"session {item.session_id} has been deleted"
                if epoch is None
                else f"session {item.session_id} is at epoch {epoch}, not {item.epoch}"
            )
            return False
        spoilt = self.newly_spoilt.get(item.session_id) or self._spoilt.get(item.session_id)
        if spoilt is not None:
            if spoilt[0] >= item.epoch:
                self._outcome.errors[item] = type(spoilt[1])(spoilt[1].message, spoilt[1].remedy)
                return False
            self._spoilt.pop(item.session_id, None)
        return True

    def _insert(self, items: Sequence[_Item]) -> None:
        """Insert the items' records: all at once, or when that was refused, each item in a savepoint of its own."""
        if not self._careful:
            self._insert_together([item.prepared for item in items if item.prepared is not None])
            return
        for item in items:
            # An earlier item of its session may have failed. Then a mere commit fails as well: it answers for that.
            if not self._admit(item) or item.prepared is None:
                continue
            assert item.session_id is not None
            try:
                with self._savepoint():
                    self._insert_together([item.prepared])
            except Exception as error:
                if self._dialect.classify(error, self.raw) is not Failure.REFUSED:
                    raise
                refusal: ServerError
                if self._dialect.is_doubled(error):
                    refusal = journal.doubled(item.session_id, error)
                else:
                    refusal = InternalError(f"records of session {item.session_id} cannot be stored: {error}")
                refusal.__cause__ = error
                self._outcome.errors[item] = refusal
                self.newly_spoilt[item.session_id] = (item.epoch, refusal)

    def _insert_together(self, prepared: Sequence[journal.Prepared]) -> None:
        if blobs := sorted(blob for one in prepared for blob in one.blobs):
            self._dialect.insert_blobs(self.raw, blobs)
        if rows := [row for one in prepared for row in one.rows]:
            self._dialect.insert_records(self.raw, rows)

    def _call(self, item: _Item, fn: Callable[[Connection], Any]) -> None:
        try:
            with self._savepoint():
                self._outcome.results[item] = fn(self._conn)
        except Exception as error:
            # A deadlock or a full disk concerns everybody; what else goes wrong in a function is its caller's affair.
            if self._dialect.classify(error, self.raw) is not Failure.REFUSED:
                raise
            self._outcome.errors[item] = error

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        # Through the driver: SQLAlchemy's would cost more than the statements within.
        self.raw.execute("SAVEPOINT item")
        try:
            yield
        except Exception:
            self.raw.execute("ROLLBACK TO SAVEPOINT item")
            self.raw.execute("RELEASE SAVEPOINT item")
            raise
        self.raw.execute("RELEASE SAVEPOINT item")


def _split(group: Sequence[_Item]) -> tuple[list[_Item], list[_Item]]:
    """The records that no function of their session comes before, and the rest, each in order."""
    leading: list[_Item] = []
    rest: list[_Item] = []
    held: set[str | None] = set()
    for item in group:
        if item.fn is None and item.session_id not in held:
            leading.append(item)
        else:
            rest.append(item)
            held.add(item.session_id)
    return leading, rest
