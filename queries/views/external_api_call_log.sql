-- title: PostBro's ExternalAPICallLog
-- about: One row per call to a paid service under the names that PostBro knows.
SELECT tenant, record_id AS id, user_ref AS "user",
       CASE WHEN provider IN ('gcp.gemini', 'gcp.vertex_ai', 'gcp.gen_ai') THEN 'gemini' ELSE provider END AS service, endpoint, method, status_code, duration_ns / 1e6 AS response_time_ms,
       cost_usd AS cost_estimate, request_bytes AS request_size_bytes, response_bytes AS response_size_bytes,
       coalesce(error_message, status_message, error_type) AS error_message, attributes AS metadata, time AS created_at, sample_weight
FROM provider_calls
WHERE echo_of IS NULL AND (cost_status IS DISTINCT FROM 'aggregate')
