-- title: SeeMe's errors
-- about: One row per error under the names that the app knows; the table `errors` has more.
SELECT tenant, record_id AS id, user_ref AS user_id, session_ref AS session_id, coalesce(error_type, CAST(status_code AS VARCHAR)) AS error_type, error_category,
       coalesce(message, body, status_message) AS error_message, location, action, attributes AS metadata, network_status, time AS timestamp,
       (date_part('epoch', observed_time) - date_part('epoch', time)) * 1000 AS late_ms, sample_weight
FROM errors
WHERE echo_of IS NULL
