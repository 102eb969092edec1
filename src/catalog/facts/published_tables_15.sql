select
    format('publication %I of %s', pubname, prrelid::regclass),
    concat_ws(
        ' ',
        (
            select format('(%s)', string_agg(quote_ident(attname), ', ' order by attnum))
            from pg_attribute
            where attrelid = prrelid and attnum = any (prattrs)
            having count(*) > 0
        ),
        'where ' || pg_get_expr(prqual, prrelid)
    )
from pg_publication_rel
join pg_publication on pg_publication.oid = prpubid
join pg_class on pg_class.oid = prrelid
where relnamespace = any ($1)
union all
select format('publication %I of schema %s', pubname, pnnspid::regnamespace), ''
from pg_publication_namespace
join pg_publication on pg_publication.oid = pnpubid
where pnnspid = any ($1)
