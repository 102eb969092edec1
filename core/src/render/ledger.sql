-- The ledger of coexist: what was done to this database, by which change, how far, and with what result.
--
-- Needs CREATE on the database, never a superuser. The role that runs it owns the ledger. Running it again changes nothing. Two that run it
-- at once wait for each other when each runs it in a transaction (psql --single-transaction).

select pg_catalog.pg_advisory_xact_lock(1668245880); -- 'coex'

create schema if not exists coexist;
comment on schema coexist is 'The ledger of coexist: parallel changes of this database''s schema';
grant usage on schema coexist to public;

create table if not exists coexist.version (
    version integer primary key,
    installed_at timestamptz not null default pg_catalog.clock_timestamp()
);
comment on table coexist.version is 'The versions of the ledger''s own tables that were installed';
grant select on coexist.version to public;

create table if not exists coexist.changes (
    name text primary key,
    fingerprint text not null,
    phase text not null
        check (phase in ('declared', 'expanded', 'dual-writing', 'backfilled', 'validated', 'contracted')),
    stage text not null check (stage in ('expand', 'migrate', 'contract')),
    direction text not null default 'forward' check (direction in ('forward', 'rolling back', 'rolled back')),
    paused boolean not null default false,
    pause_reason text,
    plan text not null,
    belongings jsonb,
    runner text,
    created_at timestamptz not null default pg_catalog.clock_timestamp(),
    updated_at timestamptz not null default pg_catalog.clock_timestamp()
);
comment on table coexist.changes is 'Every change and its phase. Readable by every role: applications ask it what they may read and write';
comment on column coexist.changes.belongings is 'What the change had made when it came into its phase, object by object, with definitions';
grant select on coexist.changes to public;

create table if not exists coexist.steps (
    change text not null references coexist.changes on delete cascade,
    id text not null,
    state text not null check (state in ('started', 'done', 'undoing', 'undone')),
    tries integer not null default 0,
    started_at timestamptz not null default pg_catalog.clock_timestamp(),
    finished_at timestamptz,
    duration_ms bigint,
    lock_wait_ms bigint,
    primary key (change, id)
);
comment on table coexist.steps is 'The steps of each change. The record of a step commits with its effect';

create table if not exists coexist.leases (
    change text primary key references coexist.changes on delete cascade,
    holder text,
    token bigint not null default 0,
    heartbeat_at timestamptz not null default pg_catalog.clock_timestamp(),
    expires_at timestamptz not null default pg_catalog.clock_timestamp()
);
comment on table coexist.leases is 'One runner for each change. The token grows with every new holder; a transaction with an old token does not commit';

create table if not exists coexist.segments (
    change text not null references coexist.changes on delete cascade,
    backfill integer not null,
    pass integer not null,
    id integer not null,
    table_schema text not null,
    table_name text not null,
    file_node oid,
    after text[],
    upto text[],
    lines integer,
    cursor text[],
    size bigint not null,
    read bigint not null default 0,
    rows bigint not null default 0,
    batches bigint not null default 0,
    state text not null default 'open' check (state in ('open', 'done', 'void')),
    worker text,
    token bigint not null default 0,
    worker_expires_at timestamptz,
    updated_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (change, backfill, pass, id)
);
comment on table coexist.segments is 'Pieces of tables that backfill workers claim. The cursor commits with the rows';
comment on column coexist.segments.lines is 'The highest line of a block that has a row to fill, where servers before 14 had to find out';
comment on column coexist.segments.token is 'Grows with every claim; a batch of a former worker does not commit';
comment on column coexist.segments.size is 'Blocks where the bounds are blocks, else rows, estimated';
comment on column coexist.segments.read is 'How much of the size is done';
comment on column coexist.segments.rows is 'How many rows were changed';

create table if not exists coexist.control (
    change text primary key references coexist.changes on delete cascade,
    stops bigint not null default 0,
    batch_ms bigint check (batch_ms > 0),
    rest double precision check (rest >= 0),
    workers integer check (workers > 0),
    rows_per_second double precision check (rows_per_second > 0),
    wal_per_second double precision check (wal_per_second > 0),
    updated_at timestamptz not null default pg_catalog.clock_timestamp()
);
comment on table coexist.control is 'What somebody wants of a backfill that runs elsewhere: an end, or another pace';

create table if not exists coexist.history (
    id bigint primary key generated always as identity,
    change text not null references coexist.changes on delete cascade,
    at timestamptz not null default pg_catalog.clock_timestamp(),
    backfill integer not null,
    pass integer not null,
    done double precision not null,
    rows bigint not null,
    rows_per_second double precision not null,
    workers integer not null,
    held text[] not null,
    reasons text[] not null,
    lag double precision,
    wal_position bigint not null,
    wal_written bigint not null
);
create index if not exists history_of_change on coexist.history (change, id);
comment on table coexist.history is 'How backfills went, a sample every few seconds';
comment on column coexist.history.held is 'Why nothing was done at that moment, by name';
comment on column coexist.history.reasons is 'The same with numbers, for people';
comment on column coexist.history.lag is 'By how many seconds the standby that was furthest behind lagged; null where there was none, or none could be seen';
comment on column coexist.history.wal_position is 'Where the server was in its WAL, in bytes';
comment on column coexist.history.wal_written is 'Bytes of WAL that the server wrote while the change was backfilled, so far';

create table if not exists coexist.tallies (
    change text not null references coexist.changes on delete cascade,
    kind text not null check (kind in ('retry', 'hold')),
    name text not null,
    times bigint not null default 0,
    seconds double precision not null default 0,
    primary key (change, kind, name)
);
comment on table coexist.tallies is 'How often something was tried again, by SQLSTATE, and why and for how long backfills held still';

create table if not exists coexist.quarantine (
    id bigint primary key generated always as identity, -- or a publication of all tables would refuse updates
    change text not null,
    tab text not null,
    key jsonb,
    col text not null,
    value text,
    code text,
    message text,
    times bigint not null default 1,
    first_seen timestamptz not null default pg_catalog.clock_timestamp(),
    last_seen timestamptz not null default pg_catalog.clock_timestamp()
);
create unique index if not exists quarantine_row on coexist.quarantine (change, tab, col, md5(key::text));
comment on table coexist.quarantine is 'Values that did not convert. Tables are named as in messages: without schema where it is public';

create table if not exists coexist.reconciliations (
    id bigint primary key generated always as identity,
    change text not null references coexist.changes on delete cascade,
    started_at timestamptz not null default pg_catalog.clock_timestamp(),
    finished_at timestamptz,
    after_step text,
    rows bigint not null default 0,
    mismatches bigint not null default 0,
    samples jsonb not null default '[]'
);
create index if not exists reconciliations_of_change on coexist.reconciliations (change, id);
comment on table coexist.reconciliations is 'Comparisons of the two shapes, row by row';

create table if not exists coexist.conflicts (
    id bigint primary key generated always as identity,
    change text not null,
    at timestamptz not null default pg_catalog.clock_timestamp(),
    count bigint not null default 1
);
create index if not exists conflicts_of_change on coexist.conflicts (change);
comment on table coexist.conflicts is 'Writes that set both shapes to different values. Rows are only added here, and added up by the runner, so that writers never wait for each other';

create table if not exists coexist.log (
    id bigint primary key generated always as identity,
    change text not null,
    at timestamptz not null default pg_catalog.clock_timestamp(),
    level text not null check (level in ('info', 'warning', 'error')),
    message text not null,
    runner text
);
create index if not exists log_of_change on coexist.log (change, id);
comment on table coexist.log is 'What happened, also to changes that were rolled back';

-- What sync triggers call, with the rights of the ledger's owner: the roles that write to the user's tables have none here.

create or replace function coexist.quarantine_row(
    change text, tab text, key jsonb, col text, value text, sqlstate text, message text
) returns void
language sql volatile security definer set search_path = pg_catalog, coexist, pg_temp
as $coexist$
    insert into coexist.quarantine as known (change, tab, key, col, value, code, message)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (change, tab, col, md5(key::text)) do update
        set value = excluded.value, code = excluded.code, message = excluded.message,
            times = known.times + 1, last_seen = clock_timestamp()
$coexist$;
comment on function coexist.quarantine_row(text, text, jsonb, text, text, text, text) is
    'Records a value that did not convert, once for each row and column';
grant execute on function coexist.quarantine_row(text, text, jsonb, text, text, text, text) to public;

create or replace function coexist.count_conflict(change text) returns void
language sql volatile security definer set search_path = pg_catalog, coexist, pg_temp
as $coexist$
    insert into coexist.conflicts (change) values ($1)
$coexist$;
comment on function coexist.count_conflict(text) is 'Counts a write that set both shapes to different values';
grant execute on function coexist.count_conflict(text) to public;

insert into coexist.version (version) values (1) on conflict do nothing;
