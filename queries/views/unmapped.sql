-- title: Records that no table took
-- about: What lies in spans and logs because nothing matched, by sender and name: candidates for a table, an alias or a filter.
SELECT tenant, 'spans' AS table_name, service_name, scope_name, name, kind,
       sum(coalesce(sample_weight, 1)) AS total, min(time) AS first_seen, max(time) AS last_seen, min(record_id) AS example
FROM spans
WHERE echo_of IS NULL
GROUP BY tenant, service_name, scope_name, name, kind
UNION ALL
SELECT tenant, 'logs' AS table_name, service_name, scope_name, coalesce(name, severity_text) AS name, kind,
       sum(coalesce(sample_weight, 1)) AS total, min(time) AS first_seen, max(time) AS last_seen, min(record_id) AS example
FROM logs
WHERE echo_of IS NULL
GROUP BY tenant, service_name, scope_name, coalesce(name, severity_text), kind
