SELECT
    format('event trigger %I', evtname),
    concat_ws(
        ', ',
        format('owner %s', evtowner::regrole),
        format('on %s', evtevent),
        'when tag in ' || evttags::text,
        format('calling %s', evtfoid::regproc),
        CASE evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replicas' WHEN 'A' THEN 'enabled always' END
    )
FROM pg_event_trigger
