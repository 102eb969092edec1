SELECT format('comment on %s %s', object.type, object.identity), description
FROM pg_description
CROSS JOIN pg_identify_object(classoid, objoid, objsubid) AS object
CROSS JOIN pg_identify_object_as_address(classoid, objoid, objsubid) AS address
-- Below that number is what initdb made, of which only the schema public is anyone's to change.
WHERE (objoid >= 16384 OR (classoid = 'pg_namespace'::regclass AND objoid = ANY ($1)))
    -- What has no schema of its own is nobody's (a publication), or a part of something that has one.
    AND coalesce(
        CASE
            WHEN object.type IN ('schema', 'policy', 'rule', 'trigger') THEN address.object_names[1]
            ELSE object.schema
        END IN (SELECT nspname FROM pg_namespace WHERE oid = ANY ($1)),
        true
    )
