select format('comment on %s %s', object.type, object.identity), description
from pg_description
cross join pg_identify_object(classoid, objoid, objsubid) as object
cross join pg_identify_object_as_address(classoid, objoid, objsubid) as address
-- Below that number is what initdb made, of which only the schema public is anyone's to change.
where (objoid >= 16384 or (classoid = 'pg_namespace'::regclass and objoid = any ($1)))
    -- What has no schema of its own is nobody's (a publication), or a part of something that has one.
    and coalesce(
        case
            when object.type in ('schema', 'policy', 'rule', 'trigger') then address.object_names[1]
            else object.schema
        end in (select nspname from pg_namespace where oid = any ($1)),
        true
    )
