-- coexist: change widen_user_id
-- There will be more than 2^31 users.
--
-- Indexes and constraints of the after shape, each built or checked while the tables are written. Run verify.sql after it.
-- Locks users in SHARE ROW EXCLUSIVE mode for milliseconds once it is granted: writes wait, reads go on.
-- Locks orders in SHARE ROW EXCLUSIVE mode for milliseconds once it is granted: writes wait, reads go on.
-- Locks ratings in SHARE ROW EXCLUSIVE mode for milliseconds once it is granted: writes wait, reads go on.
-- Locks users in SHARE UPDATE EXCLUSIVE mode while the table is read once: reads and writes go on, other schema changes and VACUUM wait.
-- Locks orders in SHARE UPDATE EXCLUSIVE mode while the table is read once: reads and writes go on, other schema changes and VACUUM wait.
-- Locks ratings in SHARE UPDATE EXCLUSIVE mode while the table is read once: reads and writes go on, other schema changes and VACUUM wait.
--
-- Made by `cargo build` from the declaration; edits are overwritten. Run with psql, or let `coexist up` do it.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set search_path = "pg_catalog", "public", "pg_temp";
set lock_timeout = '500ms';

-- in order, as far as the ledger knows
do $coexist$
declare
  found text;
begin
  if to_regclass('coexist.changes') is not null then
    select phase into found from coexist.changes where name = 'widen_user_id';
    if coalesce(found, 'declared') not in ('backfilled', 'validated') then
      raise exception using message = 'the change widen_user_id is not backfilled but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step users_analyze: give the planner statistics of the new columns
begin;
analyze "public"."users" ("coexist_widen_user_id_id", "coexist_widen_user_id_invited_by");
commit;

-- step users_index_users_pkey: build the index that takes over from users_pkey, while the table is written
set lock_timeout = 0;
create unique index concurrently "coexist_widen_user_id_users_pkey" on "public"."users" using "btree" ("coexist_widen_user_id_id");
set lock_timeout = '500ms';

-- step users_mark_indexes: say on each new index that it belongs to this change
begin;
comment on index "public"."coexist_widen_user_id_users_pkey" is 'coexist: widen_user_id';
commit;

-- step orders_analyze: give the planner statistics of the new columns
begin;
analyze "public"."orders" ("coexist_widen_user_id_user_id");
commit;

-- step orders_index_orders_user_id_idx: build the index that takes over from orders_user_id_idx, while the table is written
set lock_timeout = 0;
create index concurrently "coexist_widen_user_id_orders_user_id_idx" on "public"."orders" using "btree" ("coexist_widen_user_id_user_id", "cents" desc);
set lock_timeout = '500ms';

-- step orders_mark_indexes: say on each new index that it belongs to this change
begin;
comment on index "public"."coexist_widen_user_id_orders_user_id_idx" is 'coexist: widen_user_id';
commit;

-- step ratings_analyze: give the planner statistics of the new columns
begin;
analyze "public"."ratings" ("coexist_widen_user_id_user_id");
commit;

-- step ratings_index_ratings_pkey: build the index that takes over from ratings_pkey, while the table is written
set lock_timeout = 0;
create unique index concurrently "coexist_widen_user_id_ratings_pkey" on "public"."ratings" using "btree" ("coexist_widen_user_id_user_id", "order_id");
set lock_timeout = '500ms';

-- step ratings_mark_indexes: say on each new index that it belongs to this change
begin;
comment on index "public"."coexist_widen_user_id_ratings_pkey" is 'coexist: widen_user_id';
commit;

-- step users_validate_id_not_null: check every row: id is not null
begin;
alter table "public"."users" validate constraint "coexist_widen_user_id_id_not_null";
commit;

-- step users_foreign_key_users_invited_by_fkey: hold new rows to the foreign key users_invited_by_fkey
begin;
lock table "public"."users" in share row exclusive mode;
alter table "public"."users" add constraint "coexist_widen_user_id_users_invited_by_fkey" foreign key ("coexist_widen_user_id_invited_by") references "public"."users" ("coexist_widen_user_id_id") on delete set null not valid;
comment on constraint "coexist_widen_user_id_users_invited_by_fkey" on "public"."users" is 'coexist: widen_user_id';
commit;

-- step users_validate_users_invited_by_fkey: check every row: users_invited_by_fkey
begin;
alter table "public"."users" validate constraint "coexist_widen_user_id_users_invited_by_fkey";
commit;

-- step orders_validate_user_id_not_null: check every row: user_id is not null
begin;
alter table "public"."orders" validate constraint "coexist_widen_user_id_user_id_not_null";
commit;

-- step orders_foreign_key_orders_user_id_fkey: hold new rows to the foreign key orders_user_id_fkey
begin;
lock table "public"."users" in share row exclusive mode;
lock table "public"."orders" in share row exclusive mode;
alter table "public"."orders" add constraint "coexist_widen_user_id_orders_user_id_fkey" foreign key ("coexist_widen_user_id_user_id") references "public"."users" ("coexist_widen_user_id_id") on delete cascade not valid;
comment on constraint "coexist_widen_user_id_orders_user_id_fkey" on "public"."orders" is 'coexist: widen_user_id';
commit;

-- step orders_validate_orders_user_id_fkey: check every row: orders_user_id_fkey
begin;
alter table "public"."orders" validate constraint "coexist_widen_user_id_orders_user_id_fkey";
commit;

-- step ratings_validate_user_id_not_null: check every row: user_id is not null
begin;
alter table "public"."ratings" validate constraint "coexist_widen_user_id_user_id_not_null";
commit;

-- step ratings_foreign_key_ratings_user_id_fkey: hold new rows to the foreign key ratings_user_id_fkey
begin;
lock table "public"."users" in share row exclusive mode;
lock table "public"."ratings" in share row exclusive mode;
alter table "public"."ratings" add constraint "coexist_widen_user_id_ratings_user_id_fkey" foreign key ("coexist_widen_user_id_user_id") references "public"."users" ("coexist_widen_user_id_id") on delete cascade not valid;
comment on constraint "coexist_widen_user_id_ratings_user_id_fkey" on "public"."ratings" is 'coexist: widen_user_id';
commit;

-- step ratings_validate_ratings_user_id_fkey: check every row: ratings_user_id_fkey
begin;
alter table "public"."ratings" validate constraint "coexist_widen_user_id_ratings_user_id_fkey";
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('widen_user_id', '034990d4caf8bd6a', 'validated', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'widen_user_id', id, 'done', 1, clock_timestamp() from unnest(array['users_analyze', 'users_index_users_pkey', 'users_mark_indexes', 'orders_analyze', 'orders_index_orders_user_id_idx', 'orders_mark_indexes', 'ratings_analyze', 'ratings_index_ratings_pkey', 'ratings_mark_indexes', 'users_validate_id_not_null', 'users_foreign_key_users_invited_by_fkey', 'users_validate_users_invited_by_fkey', 'orders_validate_user_id_not_null', 'orders_foreign_key_orders_user_id_fkey', 'orders_validate_orders_user_id_fkey', 'ratings_validate_user_id_not_null', 'ratings_foreign_key_ratings_user_id_fkey', 'ratings_validate_ratings_user_id_fkey']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
