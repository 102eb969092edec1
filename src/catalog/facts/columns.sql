-- The position is counted as a reader sees it: a dropped column leaves a gap in attnum for ever.
SELECT
    format('column %s.%I', attrelid::regclass, attname),
    concat_ws(
        ' ',
        '#' || row_number() OVER (PARTITION BY attrelid ORDER BY attnum),
        format_type(atttypid, atttypmod),
        'collate ' || nullif(attcollation, typcollation)::regcollation::text,
        -- From 18 on NOT NULL is a constraint with a name of its own.
        CASE WHEN attnotnull AND NOT EXISTS (
            SELECT FROM pg_constraint WHERE conrelid = attrelid AND contype = 'n' AND conkey = ARRAY[attnum]
        ) THEN 'not null' END,
        CASE attgenerated WHEN '' THEN 'default ' WHEN 's' THEN 'stored ' WHEN 'v' THEN 'virtual ' END
            || pg_get_expr(adbin, adrelid),
        CASE attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
        'storage ' || nullif(attstorage, typstorage)::text,
        -- From 14 on.
        'compression ' || nullif(to_jsonb(attribute) ->> 'attcompression', ''),
        'statistics ' || nullif(attstattarget, -1),
        'options ' || (SELECT string_agg(option, ' ' ORDER BY option) FROM unnest(attoptions) AS option),
        'foreign options ' || attfdwoptions::text,
        CASE WHEN NOT attislocal THEN 'not local' END,
        'inherited ' || nullif(attinhcount, 0)::text
    )
FROM pg_attribute AS attribute
JOIN pg_class ON pg_class.oid = attrelid
JOIN pg_type ON pg_type.oid = atttypid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attnum > 0 AND NOT attisdropped
    AND relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND relnamespace = ANY ($1)
