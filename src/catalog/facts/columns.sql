-- The position is counted as a reader sees it: a dropped column leaves a gap in attnum for ever.
select
    format('column %s.%I', attrelid::regclass, attname),
    concat_ws(
        ' ',
        '#' || row_number() over (partition by attrelid order by attnum),
        format_type(atttypid, atttypmod),
        'collate ' || nullif(attcollation, typcollation)::regcollation::text,
        -- From 18 on NOT NULL is a constraint with a name of its own.
        case when attnotnull and not exists (
            select from pg_constraint where conrelid = attrelid and contype = 'n' and conkey = array[attnum]
        ) then 'not null' end,
        case attgenerated when '' then 'default ' when 's' then 'stored ' when 'v' then 'virtual ' end
            || pg_get_expr(adbin, adrelid),
        case attidentity when 'a' then 'identity always' when 'd' then 'identity by default' end,
        'storage ' || nullif(attstorage, typstorage)::text,
        -- From 14 on.
        'compression ' || nullif(to_jsonb(attribute) ->> 'attcompression', ''),
        'statistics ' || nullif(attstattarget, -1),
        'options ' || (select string_agg(option, ' ' order by option) from unnest(attoptions) as option),
        'foreign options ' || attfdwoptions::text,
        case when not attislocal then 'not local' end,
        'inherited ' || nullif(attinhcount, 0)::text
    )
from pg_attribute as attribute
join pg_class on pg_class.oid = attrelid
join pg_type on pg_type.oid = atttypid
left join pg_attrdef on adrelid = attrelid and adnum = attnum
where attnum > 0 and not attisdropped
    and relkind in ('r', 'p', 'f', 'v', 'm', 'c') and relnamespace = any ($1)
