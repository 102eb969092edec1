select
    case
        when conname is null then format('index %s on %s', indexrelid::regclass, indrelid::regclass)
        else format('constraint %I on %s', conname, indrelid::regclass)
    end,
    concat_ws(
        ', ',
        pg_get_constraintdef(pg_constraint.oid),
        pg_get_indexdef(indexrelid),
        case when not indisvalid then 'not valid' end,
        case when not indisready then 'not ready' end,
        case when not indislive then 'being dropped' end,
        case when indisclustered then 'clustered' end,
        case when indisreplident then 'replica identity' end,
        case when pg_constraint.oid is not null and not conislocal then 'not local' end,
        'partition of ' || (select inhparent::regclass::text from pg_inherits where inhrelid = indexrelid),
        'tablespace ' || (select spcname from pg_tablespace where oid = reltablespace),
        (
            select string_agg(format('statistics of column %s %s', attnum, attstattarget), ', ' order by attnum)
            from pg_attribute
            where attrelid = indexrelid and attstattarget >= 0
        )
    )
from pg_index
join pg_class on pg_class.oid = indexrelid
-- A foreign key names the index of the other table that it uses.
left join pg_constraint on conindid = indexrelid and contype in ('p', 'u', 'x')
where relnamespace = any ($1)
