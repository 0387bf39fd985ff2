-- title: PostBro's APIAccessLog
-- about: One row per request under the names that PostBro knows; the address is its network.
SELECT tenant, record_id AS id, user_ref AS "user", coalesce(route, path) AS endpoint, method, status_code, duration_ns / 1e6 AS response_time_ms,
       client_prefix AS ip_address, user_agent, request_bytes AS request_size_bytes, response_bytes AS response_size_bytes, query AS query_params,
       coalesce(error_message, status_message) AS error_message, time AS created_at, sample_weight
FROM requests
WHERE echo_of IS NULL
