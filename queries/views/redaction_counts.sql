-- title: What was redacted
-- about: How many secrets and personal values were taken out of stored text, by table, service, kind and day.
WITH found AS (
    SELECT tenant, 'requests' AS table_name, service_name, CAST(time AS DATE) AS day, coalesce(sample_weight, 1) AS weight, unnest(map_entries(redactions)) AS redaction
    FROM requests WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'auth_events' AS table_name, service_name, CAST(time AS DATE) AS day, coalesce(sample_weight, 1) AS weight, unnest(map_entries(redactions)) AS redaction
    FROM auth_events WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'provider_calls' AS table_name, service_name, CAST(time AS DATE) AS day, coalesce(sample_weight, 1) AS weight, unnest(map_entries(redactions)) AS redaction
    FROM provider_calls WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'errors' AS table_name, service_name, CAST(time AS DATE) AS day, coalesce(sample_weight, 1) AS weight, unnest(map_entries(redactions)) AS redaction
    FROM errors WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'activity_events' AS table_name, service_name, CAST(time AS DATE) AS day, coalesce(sample_weight, 1) AS weight, unnest(map_entries(redactions)) AS redaction
    FROM activity_events WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'audit_log' AS table_name, service_name, CAST(time AS DATE) AS day, coalesce(sample_weight, 1) AS weight, unnest(map_entries(redactions)) AS redaction
    FROM audit_log WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'rate_limits' AS table_name, service_name, CAST(time AS DATE) AS day, coalesce(sample_weight, 1) AS weight, unnest(map_entries(redactions)) AS redaction
    FROM rate_limits WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'key_events' AS table_name, service_name, CAST(time AS DATE) AS day, coalesce(sample_weight, 1) AS weight, unnest(map_entries(redactions)) AS redaction
    FROM key_events WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'spans' AS table_name, service_name, CAST(time AS DATE) AS day, coalesce(sample_weight, 1) AS weight, unnest(map_entries(redactions)) AS redaction
    FROM spans WHERE echo_of IS NULL
    UNION ALL
    SELECT tenant, 'logs' AS table_name, service_name, CAST(time AS DATE) AS day, coalesce(sample_weight, 1) AS weight, unnest(map_entries(redactions)) AS redaction
    FROM logs WHERE echo_of IS NULL
)
SELECT tenant, table_name, service_name, day, redaction['key'] AS redacted, CAST(round(sum(CAST(redaction['value'] AS DOUBLE) * weight)) AS BIGINT) AS total
FROM found
GROUP BY tenant, table_name, service_name, day, redaction['key']
