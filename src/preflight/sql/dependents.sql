-- What depends on columns (tables in $1, their columns in $2), and so forbids to drop them or to change their type, or would go with them.
-- Indexes, constraints and statistics are compared with schema.sql instead.
with going as (
    select attrelid, attnum, n
    from unnest($1::text[], $2::text[]) with ordinality as wanted (tab, col, n)
    join pg_attribute on attrelid = to_regclass(tab) and attname = col and not attisdropped
), depends as (
    select distinct n, classid, objid
    from going join pg_depend on refclassid = 'pg_class'::regclass and refobjid = attrelid and refobjsubid = attnum
)
select n,
    case when rulename <> '_RETURN' then 'rule' when relkind = 'm' then 'materialized view' else 'view' end,
    case when rulename <> '_RETURN' then rulename || ' of ' else '' end
        || case nspname when 'public' then '' else nspname || '.' end || relname
from depends
join pg_rewrite as rule on classid = 'pg_rewrite'::regclass and objid = rule.oid
join pg_class as class on class.oid = ev_class
join pg_namespace as namespace on namespace.oid = relnamespace
where coalesce(obj_description(class.oid, 'pg_class') not like 'coexist: %', true)
union all
select n, 'function', case nspname when 'public' then '' else nspname || '.' end || proname
from depends
join pg_proc as proc on classid = 'pg_proc'::regclass and objid = proc.oid
join pg_namespace as namespace on namespace.oid = pronamespace
where coalesce(obj_description(proc.oid, 'pg_proc') not like 'coexist: %', true)
union all
select n, 'policy', polname || ' of ' || case nspname when 'public' then '' else nspname || '.' end || relname
from depends
join pg_policy as policy on classid = 'pg_policy'::regclass and objid = policy.oid
join pg_class as class on class.oid = polrelid
join pg_namespace as namespace on namespace.oid = relnamespace
where coalesce(obj_description(policy.oid, 'pg_policy') not like 'coexist: %', true)
union all
select n, 'publication', pubname::text
from depends
join pg_publication_rel as published on classid = 'pg_publication_rel'::regclass and objid = published.oid
join pg_publication as publication on publication.oid = prpubid
union all
select n, 'trigger', tgname || ' of ' || case nspname when 'public' then '' else nspname || '.' end || relname
from depends
join pg_trigger as trigger on classid = 'pg_trigger'::regclass and objid = trigger.oid and not tgisinternal
join pg_class as class on class.oid = tgrelid
join pg_namespace as namespace on namespace.oid = relnamespace
where tgname not like 'zz\_coexist\_%' and coalesce(obj_description(trigger.oid, 'pg_trigger') not like 'coexist: %', true)
union all
select n, 'generated column', case nspname when 'public' then '' else nspname || '.' end || relname || '.' || generated.attname
from depends
join going using (n)
join pg_attrdef as definition on classid = 'pg_attrdef'::regclass and objid = definition.oid
join pg_attribute as generated on generated.attrelid = adrelid and generated.attnum = adnum and attgenerated <> ''
join pg_class as class on class.oid = adrelid
join pg_namespace as namespace on namespace.oid = relnamespace
-- On some servers a generated column depends on itself.
where (adrelid, adnum) <> (going.attrelid, going.attnum)
union
-- Before 15 it is the column that depends, and not its expression.
select n, 'generated column', case nspname when 'public' then '' else nspname || '.' end || relname || '.' || generated.attname
from going
join pg_depend on classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass
    and refobjid = going.attrelid and refobjsubid = going.attnum and objid = going.attrelid and objsubid > 0
join pg_attribute as generated on generated.attrelid = objid and generated.attnum = objsubid and attgenerated <> ''
join pg_class as class on class.oid = generated.attrelid
join pg_namespace as namespace on namespace.oid = relnamespace
where generated.attnum <> going.attnum
order by 1, 2, 3
