-- What hangs on the columns of a table, in the words of a plan (`core/src/plan/expect.rs`). What a change in flight made is left out: it
-- bears that change's mark, or, until it does, a name of ours.
with target as (
    select to_regclass($1)::oid as id
), depends as (
    select classid, objid, array_agg(attname::text order by attnum) as columns
    from target
    join pg_depend on refclassid = 'pg_class'::regclass and refobjid = target.id and refobjsubid > 0
    join pg_attribute on attrelid = refobjid and attnum = refobjsubid
    group by classid, objid
)
select
    'constraint', conname::text,
    case contype
        when 'p' then 'primary key (' || names.keys || ')' || names.include
        when 'u' then 'unique'
            || case when (to_jsonb(i) ->> 'indnullsnotdistinct')::boolean then ' nulls not distinct' else '' end
            || ' (' || names.keys || ')' || names.include
        when 'c' then 'check' || case when connoinherit then ' no inherit' else '' end
        when 'f' then format(
            'foreign key (%s) references %s.%s (%s)%s on update %s on delete %s',
            names.keys, parent_schema.nspname, parent.relname, names.referenced,
            case confmatchtype when 'f' then ' match full' else '' end,
            actions.word -> confupdtype::text ->> 0, actions.word -> confdeltype::text ->> 0
        )
        else 'exclude'
    end || case when condeferred then ' deferrable initially deferred' when condeferrable then ' deferrable' else '' end,
    case when conbin is null then '{}' else array[pg_get_expr(conbin, conrelid)] end,
    coalesce(depends.columns, '{}'),
    coalesce(obj_description(c.oid, 'pg_constraint') like 'coexist: %', false) or conname like 'coexist\_%'
from target
join pg_constraint as c on conrelid = target.id and contype in ('p', 'u', 'c', 'f', 'x')
left join depends on depends.classid = 'pg_constraint'::regclass and depends.objid = c.oid
left join pg_index as i on i.indexrelid = c.conindid and contype in ('p', 'u')
left join pg_class as parent on parent.oid = confrelid
left join pg_namespace as parent_schema on parent_schema.oid = parent.relnamespace
cross join lateral (
    select
        (select string_agg(attname, ', ' order by n) from unnest(conkey) with ordinality as k (attnum, n)
            join pg_attribute as a on a.attrelid = conrelid and a.attnum = k.attnum) as keys,
        (select string_agg(attname, ', ' order by n) from unnest(confkey) with ordinality as k (attnum, n)
            join pg_attribute as a on a.attrelid = confrelid and a.attnum = k.attnum) as referenced,
        coalesce((select ' include (' || string_agg(attname, ', ' order by n) || ')'
            from unnest(i.indkey::int2[]) with ordinality as k (attnum, n)
            join pg_attribute as a on a.attrelid = conrelid and a.attnum = k.attnum
            where n > i.indnkeyatts), '') as include
) as names
cross join (
    select '{"a": ["no action"], "r": ["restrict"], "c": ["cascade"], "n": ["set null"], "d": ["set default"]}'::jsonb as word
) as actions
union all
select
    'index', class.relname::text,
    case when indisunique then 'unique ' else '' end || 'index ' || amname || ' (' || (
        select string_agg(
            coalesce(attname, '*') || case when option & 1 = 1 then ' desc' else '' end
            || case when option & 1 = 1 and option & 2 = 0 then ' nulls last'
                when option & 1 = 0 and option & 2 = 2 then ' nulls first' else '' end,
            ', ' order by n
        )
        from unnest(indkey::int2[], indoption::int2[]) with ordinality as k (key, option, n)
        left join pg_attribute as a on a.attrelid = indrelid and a.attnum = k.key and k.key <> 0
        where n <= indnkeyatts
    ) || ')' || coalesce((
        select ' include (' || string_agg(attname, ', ' order by n) || ')'
        from unnest(indkey::int2[]) with ordinality as k (key, n)
        join pg_attribute as a on a.attrelid = indrelid and a.attnum = k.key
        where n > indnkeyatts
    ), '') || case when (to_jsonb(i) ->> 'indnullsnotdistinct')::boolean then ' nulls not distinct' else '' end
    || case when indpred is null then '' else ' where' end,
    array(
        select pg_get_indexdef(indexrelid, n::int, false)
        from unnest(indkey::int2[]) with ordinality as k (key, n) where key = 0 order by n
    ) || case when indpred is null then '{}' else array[pg_get_expr(indpred, indrelid)] end,
    coalesce(depends.columns, '{}'),
    coalesce(obj_description(indexrelid, 'pg_class') like 'coexist: %', false) or class.relname like 'coexist\_%'
from target
join pg_index as i on indrelid = target.id
join pg_class as class on class.oid = indexrelid
join pg_am on pg_am.oid = class.relam
left join depends on depends.classid = 'pg_class'::regclass and depends.objid = indexrelid
where not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
    -- What REINDEX CONCURRENTLY leaves behind where it fails is no part of the schema.
    and (indisvalid or class.relname !~ '_cc(new|old)\d*$')
union all
select
    'statistics', stxname::text, 'statistics', '{}', coalesce(depends.columns, '{}'),
    coalesce(obj_description(s.oid, 'pg_statistic_ext') like 'coexist: %', false) or stxname like 'coexist\_%'
from target
join pg_statistic_ext as s on stxrelid = target.id
left join depends on depends.classid = 'pg_statistic_ext'::regclass and depends.objid = s.oid
