-- Kinds that no change comes near: that they are there is all that is told.
select object.type || ' ' || object.identity, ''
from (
    select tableoid, oid from pg_am
    union all select tableoid, oid from pg_cast
    union all select tableoid, oid from pg_collation
    union all select tableoid, oid from pg_conversion
    union all select tableoid, oid from pg_foreign_data_wrapper
    union all select tableoid, oid from pg_foreign_server
    union all select tableoid, oid from pg_language
    union all select tableoid, oid from pg_opclass
    union all select tableoid, oid from pg_operator
    union all select tableoid, oid from pg_opfamily
    union all select tableoid, oid from pg_transform
    union all select tableoid, oid from pg_ts_config
    union all select tableoid, oid from pg_ts_dict
    union all select tableoid, oid from pg_ts_parser
    union all select tableoid, oid from pg_ts_template
) as other
cross join pg_identify_object(tableoid, oid, 0) as object
-- Below that number is what initdb made.
where oid >= 16384
    -- The server makes a cast for each range type.
    and not exists (select from pg_depend where classid = other.tableoid and objid = oid and deptype = 'i')
    and coalesce(object.schema in (select nspname from pg_namespace where oid = any ($1)), true)
