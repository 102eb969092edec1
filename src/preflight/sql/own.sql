select
    case
        when classoid = 'pg_class'::regclass and objsubid > 0 then 'column ' || class_name || '.' || attname
        when classoid = 'pg_class'::regclass then
            case relkind when 'i' then 'index ' when 'I' then 'index ' when 'v' then 'view ' else 'table ' end || class_name
        when classoid = 'pg_constraint'::regclass then 'constraint ' || conname || ' of ' || conrelid::regclass
        when classoid = 'pg_trigger'::regclass then 'trigger ' || tgname || ' of ' || tgrelid::regclass
        when classoid = 'pg_proc'::regclass then 'function ' || objoid::regprocedure
        else pg_describe_object(classoid, objoid, objsubid)
    end as object,
    coalesce(case
        when classoid = 'pg_class'::regclass and objsubid > 0 then
            format_type(atttypid, atttypmod) || case when attnotnull then ' not null' else '' end
        when classoid = 'pg_class'::regclass and relkind in ('i', 'I') then
            pg_get_indexdef(objoid) || case when indisvalid then '' else ', invalid' end
        when classoid = 'pg_class'::regclass and relkind = 'v' then pg_get_viewdef(objoid)
        when classoid = 'pg_constraint'::regclass then pg_get_constraintdef(objoid)
        when classoid = 'pg_trigger'::regclass then pg_get_triggerdef(objoid)
            || case tgenabled when 'D' then ', disabled' when 'R' then ', enabled on replicas' when 'A' then ', enabled always' else '' end
        when classoid = 'pg_proc'::regclass then
            concat_ws(', ', 'text ' || md5(prosrc), proconfig::text, case when prosecdef then 'security definer' end)
    end, '') as definition
from pg_description
left join lateral (
    select relkind, attname, atttypid, atttypmod, attnotnull, indisvalid,
        case nspname when 'public' then '' else nspname || '.' end || relname as class_name
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    left join pg_attribute on attrelid = pg_class.oid and attnum = objsubid and objsubid > 0
    left join pg_index on indexrelid = pg_class.oid
    where classoid = 'pg_class'::regclass and pg_class.oid = objoid
) as class on true
left join pg_constraint on classoid = 'pg_constraint'::regclass and pg_constraint.oid = objoid
left join pg_trigger on classoid = 'pg_trigger'::regclass and pg_trigger.oid = objoid
left join pg_proc on classoid = 'pg_proc'::regclass and pg_proc.oid = objoid
where description = 'coexist: ' || $1
