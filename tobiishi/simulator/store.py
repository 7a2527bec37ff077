"""The simulator's state in one SQLite file, which survives a restart and a kill.

Every change is committed before LINE's answer leaves. One connection, used from the event loop
alone: each transaction runs to its end before another begins, and takes well under a millisecond.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
create table if not exists friends (
    user_id text primary key,
    display_name text not null,
    language text,
    blocked integer not null default 0,
    added_at real not null,
    -- ios or android; made up from the id where it is null.
    device text,
    -- When anything last changed with this friend or in their chat, counted over all friends.
    changed integer not null default 0
);
-- Requests that carried a retry key, and were accepted.
create table if not exists accepted (
    retry_key text primary key,
    request_id text not null,
    sent_messages text not null,
    accepted_at real not null
);
-- One row for each request and friend it reached.
create table if not exists messages (
    id integer primary key autoincrement,
    user_id text not null,
    endpoint text not null,
    request_id text not null,
    retry_key text,
    messages text not null,
    notification_disabled integer not null,
    unit text,
    accepted_at real not null,
    -- The ids and quote tokens of `messages`, in their order.
    sent text not null default '[]',
    -- Place in the chat, as `friends.changed` counts.
    place integer not null default 0,
    -- Whether one of its quick replies was tapped.
    answered integer not null default 0
);
-- What friends said: their own messages, and what a button says for them.
create table if not exists said (
    id integer primary key autoincrement,
    user_id text not null,
    -- Null where it is shown in the chat only, and LINE tells nobody.
    message_id text,
    -- As in the webhook; null once it is unsent.
    message text,
    said_at real not null,
    place integer not null
);
create index if not exists said_by_user on said (user_id);
create index if not exists messages_by_user on messages (user_id);
create index if not exists messages_by_unit on messages (unit) where unit is not null;
-- How many recipients were sent to, by day in Japan (yyyyMMdd).
create table if not exists sent (
    day text not null,
    endpoint text not null,
    recipients integer not null,
    primary key (day, endpoint)
);
-- Names of aggregation units, by month in Japan (yyyyMM).
create table if not exists units (
    month text not null,
    name text not null,
    primary key (month, name)
);
create table if not exists reply_tokens (
    token text primary key,
    user_id text not null,
    occurred_at real not null,
    valid_until real not null,
    used integer not null default 0
);
create table if not exists access_tokens (
    token text primary key,
    expires_at real not null
);
-- LINE Login: an authorization code, and the access token that it was exchanged for.
create table if not exists logins (
    code text primary key,
    user_id text not null,
    request text not null,
    issued_at real not null,
    access_token text unique
);
create index if not exists logins_by_user on logins (user_id);
create table if not exists audience_groups (
    id integer primary key autoincrement,
    description text not null,
    created_at real not null
);
create table if not exists audience_jobs (
    id integer primary key autoincrement,
    group_id integer not null references audience_groups on delete cascade,
    description text not null,
    audience_count integer not null,
    created_at real not null
);
create table if not exists audience_members (
    group_id integer not null references audience_groups on delete cascade,
    user_id text not null,
    primary key (group_id, user_id)
) without rowid;
-- Requests to the webhook URL. `status` is pending, delivered or failed.
create table if not exists webhooks (
    id integer primary key autoincrement,
    events text not null,
    status text not null,
    attempts text not null,
    due_at real not null,
    created_at real not null
);
create index if not exists webhooks_due on webhooks (due_at) where status = 'pending';
create table if not exists settings (
    name text primary key,
    value text not null
);
"""
#: Columns that files of before lack: table, column, what it is.
_ADDED = (
    ("friends", "device", "text"),
    ("friends", "changed", "integer not null default 0"),
    ("messages", "sent", "text not null default '[]'"),
    ("messages", "place", "integer not null default 0"),
    ("messages", "answered", "integer not null default 0"),
)


class Store:
    """The SQLite database, whose schema is made where it is missing."""

    def __init__(self, database: str | Path) -> None:
        self._connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("pragma journal_mode = wal")
        # What is committed survives the end of this process without waiting for the disk.
        self._connection.execute("pragma synchronous = normal")
        self._connection.execute("pragma foreign_keys = on")
        self._connection.executescript(_SCHEMA)
        for table, column, kind in _ADDED:
            known = {row["name"] for row in self.all(f"pragma table_info({table})")}
            if column not in known:
                self._connection.execute(f"alter table {table} add column {column} {kind}")
        self._connection.execute(
            "create index if not exists friends_by_change on friends (changed)"
        )

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block's changes or none. Nothing may be awaited inside."""
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def run(self, sql: str, *values: Any) -> int:
        """Run a statement; the id of the row it made, if any."""
        return self._connection.execute(sql, values).lastrowid or 0

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self._connection.executemany(sql, rows)

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def number(self, sql: str, *values: Any) -> int:
        """The first column of the first row, 0 where there is none."""
        row = self.one(sql, *values)
        return int(row[0] or 0) if row else 0
