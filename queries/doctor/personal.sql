-- title: Where personal data was found
-- about: Kinds of personal data and secrets by the column or attribute that held them. What stood there is gone; the marks left in its place are counted.
WITH texts AS (
    SELECT 'requests' AS table_name, service_name, sdk_language, 'path' AS place, false AS is_attribute, path AS text FROM requests WHERE received_time >= $since AND path IS NOT NULL
    UNION ALL
    SELECT 'requests' AS table_name, service_name, sdk_language, 'query' AS place, false AS is_attribute, query AS text FROM requests WHERE received_time >= $since AND query IS NOT NULL
    UNION ALL
    SELECT 'requests' AS table_name, service_name, sdk_language, 'url' AS place, false AS is_attribute, url AS text FROM requests WHERE received_time >= $since AND url IS NOT NULL
    UNION ALL
    SELECT 'requests' AS table_name, service_name, sdk_language, 'error_message' AS place, false AS is_attribute, error_message AS text FROM requests WHERE received_time >= $since AND error_message IS NOT NULL
    UNION ALL
    SELECT 'requests' AS table_name, service_name, sdk_language, 'body' AS place, false AS is_attribute, body AS text FROM requests WHERE received_time >= $since AND body IS NOT NULL
    UNION ALL
    SELECT 'requests' AS table_name, service_name, sdk_language, 'status_message' AS place, false AS is_attribute, status_message AS text FROM requests WHERE received_time >= $since AND status_message IS NOT NULL
    UNION ALL
    SELECT 'requests' AS table_name, service_name, sdk_language, entry['key'] AS place, true AS is_attribute, entry['value'] AS text
    FROM (SELECT service_name, sdk_language, unnest(map_entries(attributes)) AS entry FROM requests WHERE received_time >= $since)
    UNION ALL
    SELECT 'auth_events' AS table_name, service_name, sdk_language, 'body' AS place, false AS is_attribute, body AS text FROM auth_events WHERE received_time >= $since AND body IS NOT NULL
    UNION ALL
    SELECT 'auth_events' AS table_name, service_name, sdk_language, 'status_message' AS place, false AS is_attribute, status_message AS text FROM auth_events WHERE received_time >= $since AND status_message IS NOT NULL
    UNION ALL
    SELECT 'auth_events' AS table_name, service_name, sdk_language, entry['key'] AS place, true AS is_attribute, entry['value'] AS text
    FROM (SELECT service_name, sdk_language, unnest(map_entries(attributes)) AS entry FROM auth_events WHERE received_time >= $since)
    UNION ALL
    SELECT 'provider_calls' AS table_name, service_name, sdk_language, 'error_message' AS place, false AS is_attribute, error_message AS text FROM provider_calls WHERE received_time >= $since AND error_message IS NOT NULL
    UNION ALL
    SELECT 'provider_calls' AS table_name, service_name, sdk_language, 'stack_trace' AS place, false AS is_attribute, stack_trace AS text FROM provider_calls WHERE received_time >= $since AND stack_trace IS NOT NULL
    UNION ALL
    SELECT 'provider_calls' AS table_name, service_name, sdk_language, 'body' AS place, false AS is_attribute, body AS text FROM provider_calls WHERE received_time >= $since AND body IS NOT NULL
    UNION ALL
    SELECT 'provider_calls' AS table_name, service_name, sdk_language, 'status_message' AS place, false AS is_attribute, status_message AS text FROM provider_calls WHERE received_time >= $since AND status_message IS NOT NULL
    UNION ALL
    SELECT 'provider_calls' AS table_name, service_name, sdk_language, entry['key'] AS place, true AS is_attribute, entry['value'] AS text
    FROM (SELECT service_name, sdk_language, unnest(map_entries(attributes)) AS entry FROM provider_calls WHERE received_time >= $since)
    UNION ALL
    SELECT 'errors' AS table_name, service_name, sdk_language, 'message' AS place, false AS is_attribute, message AS text FROM errors WHERE received_time >= $since AND message IS NOT NULL
    UNION ALL
    SELECT 'errors' AS table_name, service_name, sdk_language, 'stack_trace' AS place, false AS is_attribute, stack_trace AS text FROM errors WHERE received_time >= $since AND stack_trace IS NOT NULL
    UNION ALL
    SELECT 'errors' AS table_name, service_name, sdk_language, 'url' AS place, false AS is_attribute, url AS text FROM errors WHERE received_time >= $since AND url IS NOT NULL
    UNION ALL
    SELECT 'errors' AS table_name, service_name, sdk_language, 'page_path' AS place, false AS is_attribute, page_path AS text FROM errors WHERE received_time >= $since AND page_path IS NOT NULL
    UNION ALL
    SELECT 'errors' AS table_name, service_name, sdk_language, 'url_query' AS place, false AS is_attribute, url_query AS text FROM errors WHERE received_time >= $since AND url_query IS NOT NULL
    UNION ALL
    SELECT 'errors' AS table_name, service_name, sdk_language, 'body' AS place, false AS is_attribute, body AS text FROM errors WHERE received_time >= $since AND body IS NOT NULL
    UNION ALL
    SELECT 'errors' AS table_name, service_name, sdk_language, 'status_message' AS place, false AS is_attribute, status_message AS text FROM errors WHERE received_time >= $since AND status_message IS NOT NULL
    UNION ALL
    SELECT 'errors' AS table_name, service_name, sdk_language, entry['key'] AS place, true AS is_attribute, entry['value'] AS text
    FROM (SELECT service_name, sdk_language, unnest(map_entries(attributes)) AS entry FROM errors WHERE received_time >= $since)
    UNION ALL
    SELECT 'activity_events' AS table_name, service_name, sdk_language, 'body' AS place, false AS is_attribute, body AS text FROM activity_events WHERE received_time >= $since AND body IS NOT NULL
    UNION ALL
    SELECT 'activity_events' AS table_name, service_name, sdk_language, 'status_message' AS place, false AS is_attribute, status_message AS text FROM activity_events WHERE received_time >= $since AND status_message IS NOT NULL
    UNION ALL
    SELECT 'activity_events' AS table_name, service_name, sdk_language, entry['key'] AS place, true AS is_attribute, entry['value'] AS text
    FROM (SELECT service_name, sdk_language, unnest(map_entries(attributes)) AS entry FROM activity_events WHERE received_time >= $since)
    UNION ALL
    SELECT 'audit_log' AS table_name, service_name, sdk_language, 'body' AS place, false AS is_attribute, body AS text FROM audit_log WHERE received_time >= $since AND body IS NOT NULL
    UNION ALL
    SELECT 'audit_log' AS table_name, service_name, sdk_language, 'status_message' AS place, false AS is_attribute, status_message AS text FROM audit_log WHERE received_time >= $since AND status_message IS NOT NULL
    UNION ALL
    SELECT 'audit_log' AS table_name, service_name, sdk_language, entry['key'] AS place, true AS is_attribute, entry['value'] AS text
    FROM (SELECT service_name, sdk_language, unnest(map_entries(attributes)) AS entry FROM audit_log WHERE received_time >= $since)
    UNION ALL
    SELECT 'rate_limits' AS table_name, service_name, sdk_language, 'body' AS place, false AS is_attribute, body AS text FROM rate_limits WHERE received_time >= $since AND body IS NOT NULL
    UNION ALL
    SELECT 'rate_limits' AS table_name, service_name, sdk_language, 'status_message' AS place, false AS is_attribute, status_message AS text FROM rate_limits WHERE received_time >= $since AND status_message IS NOT NULL
    UNION ALL
    SELECT 'rate_limits' AS table_name, service_name, sdk_language, entry['key'] AS place, true AS is_attribute, entry['value'] AS text
    FROM (SELECT service_name, sdk_language, unnest(map_entries(attributes)) AS entry FROM rate_limits WHERE received_time >= $since)
    UNION ALL
    SELECT 'key_events' AS table_name, service_name, sdk_language, 'body' AS place, false AS is_attribute, body AS text FROM key_events WHERE received_time >= $since AND body IS NOT NULL
    UNION ALL
    SELECT 'key_events' AS table_name, service_name, sdk_language, 'status_message' AS place, false AS is_attribute, status_message AS text FROM key_events WHERE received_time >= $since AND status_message IS NOT NULL
    UNION ALL
    SELECT 'key_events' AS table_name, service_name, sdk_language, entry['key'] AS place, true AS is_attribute, entry['value'] AS text
    FROM (SELECT service_name, sdk_language, unnest(map_entries(attributes)) AS entry FROM key_events WHERE received_time >= $since)
    UNION ALL
    SELECT 'spans' AS table_name, service_name, sdk_language, 'url' AS place, false AS is_attribute, url AS text FROM spans WHERE received_time >= $since AND url IS NOT NULL
    UNION ALL
    SELECT 'spans' AS table_name, service_name, sdk_language, 'path' AS place, false AS is_attribute, path AS text FROM spans WHERE received_time >= $since AND path IS NOT NULL
    UNION ALL
    SELECT 'spans' AS table_name, service_name, sdk_language, 'url_query' AS place, false AS is_attribute, url_query AS text FROM spans WHERE received_time >= $since AND url_query IS NOT NULL
    UNION ALL
    SELECT 'spans' AS table_name, service_name, sdk_language, 'db_statement' AS place, false AS is_attribute, db_statement AS text FROM spans WHERE received_time >= $since AND db_statement IS NOT NULL
    UNION ALL
    SELECT 'spans' AS table_name, service_name, sdk_language, 'body' AS place, false AS is_attribute, body AS text FROM spans WHERE received_time >= $since AND body IS NOT NULL
    UNION ALL
    SELECT 'spans' AS table_name, service_name, sdk_language, 'status_message' AS place, false AS is_attribute, status_message AS text FROM spans WHERE received_time >= $since AND status_message IS NOT NULL
    UNION ALL
    SELECT 'spans' AS table_name, service_name, sdk_language, entry['key'] AS place, true AS is_attribute, entry['value'] AS text
    FROM (SELECT service_name, sdk_language, unnest(map_entries(attributes)) AS entry FROM spans WHERE received_time >= $since)
    UNION ALL
    SELECT 'logs' AS table_name, service_name, sdk_language, 'body' AS place, false AS is_attribute, body AS text FROM logs WHERE received_time >= $since AND body IS NOT NULL
    UNION ALL
    SELECT 'logs' AS table_name, service_name, sdk_language, 'status_message' AS place, false AS is_attribute, status_message AS text FROM logs WHERE received_time >= $since AND status_message IS NOT NULL
    UNION ALL
    SELECT 'logs' AS table_name, service_name, sdk_language, entry['key'] AS place, true AS is_attribute, entry['value'] AS text
    FROM (SELECT service_name, sdk_language, unnest(map_entries(attributes)) AS entry FROM logs WHERE received_time >= $since)
),
kinds AS (
    SELECT column1 AS kind, column2 AS mark
    FROM (
        VALUES
           ('key', '[KEY]'), ('jwt', '[JWT]'), ('secret', '[SECRET]'), ('card', '[CARD]'), ('iban', '[IBAN]'),
           ('email', '[EMAIL]'), ('phone', '[PHONE]'), ('ssn', '[SSN]'), ('birth', '[BIRTH]'), ('address', '[ADDRESS]'),
           ('name', '[NAME]'), ('ip', '[IP]'), ('mac', '[MAC]'), ('id', '[ID]')
    )
),
marked AS (
    SELECT * FROM texts WHERE strpos(text, '[') > 0 AND (service_name IS DISTINCT FROM 'marquetry-doctor')
)
SELECT table_name, coalesce(service_name, 'unknown') AS service, coalesce(sdk_language, 'unknown') AS language, place, is_attribute,
       kind, count(*) AS total
FROM marked, kinds
WHERE strpos(text, mark) > 0
GROUP BY table_name, coalesce(service_name, 'unknown'), coalesce(sdk_language, 'unknown'), place, is_attribute, kind
ORDER BY total DESC, table_name, place, kind
LIMIT 200
