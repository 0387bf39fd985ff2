-- title: When each table last heard something
-- about: Rows and their newest times by table, 0 and no time where nothing was ever written; a writer and a reader that disagree on a table show here.
WITH heard AS (
    SELECT tenant, 'requests' AS table_name, sum(coalesce(sample_weight, 1)) AS total, max(time) AS last_time, max(received_time) AS last_received
    FROM requests WHERE echo_of IS NULL GROUP BY tenant
    UNION ALL
    SELECT tenant, 'auth_events' AS table_name, sum(coalesce(sample_weight, 1)) AS total, max(time) AS last_time, max(received_time) AS last_received
    FROM auth_events WHERE echo_of IS NULL GROUP BY tenant
    UNION ALL
    SELECT tenant, 'provider_calls' AS table_name, sum(coalesce(sample_weight, 1)) AS total, max(time) AS last_time, max(received_time) AS last_received
    FROM provider_calls WHERE echo_of IS NULL GROUP BY tenant
    UNION ALL
    SELECT tenant, 'errors' AS table_name, sum(coalesce(sample_weight, 1)) AS total, max(time) AS last_time, max(received_time) AS last_received
    FROM errors WHERE echo_of IS NULL GROUP BY tenant
    UNION ALL
    SELECT tenant, 'activity_events' AS table_name, sum(coalesce(sample_weight, 1)) AS total, max(time) AS last_time, max(received_time) AS last_received
    FROM activity_events WHERE echo_of IS NULL GROUP BY tenant
    UNION ALL
    SELECT tenant, 'audit_log' AS table_name, sum(coalesce(sample_weight, 1)) AS total, max(time) AS last_time, max(received_time) AS last_received
    FROM audit_log WHERE echo_of IS NULL GROUP BY tenant
    UNION ALL
    SELECT tenant, 'rate_limits' AS table_name, sum(coalesce(sample_weight, 1)) AS total, max(time) AS last_time, max(received_time) AS last_received
    FROM rate_limits WHERE echo_of IS NULL GROUP BY tenant
    UNION ALL
    SELECT tenant, 'key_events' AS table_name, sum(coalesce(sample_weight, 1)) AS total, max(time) AS last_time, max(received_time) AS last_received
    FROM key_events WHERE echo_of IS NULL GROUP BY tenant
    UNION ALL
    SELECT tenant, 'spans' AS table_name, sum(coalesce(sample_weight, 1)) AS total, max(time) AS last_time, max(received_time) AS last_received
    FROM spans WHERE echo_of IS NULL GROUP BY tenant
    UNION ALL
    SELECT tenant, 'logs' AS table_name, sum(coalesce(sample_weight, 1)) AS total, max(time) AS last_time, max(received_time) AS last_received
    FROM logs WHERE echo_of IS NULL GROUP BY tenant
), tables AS (
    SELECT table_name
    FROM (VALUES ('requests'), ('auth_events'), ('provider_calls'), ('errors'), ('activity_events'), ('audit_log'), ('rate_limits'), ('key_events'), ('spans'), ('logs')) AS listed (table_name)
), tenants AS (
    SELECT DISTINCT tenant FROM heard
)
SELECT s.tenant, t.table_name, coalesce(h.total, 0) AS total, h.last_time, h.last_received
FROM tenants AS s CROSS JOIN tables AS t
LEFT JOIN heard AS h ON h.tenant = s.tenant AND h.table_name = t.table_name
