-- title: PostBro's AuthenticationLog
-- about: One row per sign-up, sign-in, sign-out and refusal under the names that PostBro knows.
SELECT tenant, record_id AS id, user_ref AS "user", action AS event_type, client_prefix AS ip_address, user_agent, success,
       coalesce(failure_reason, error_message) AS error_message, attributes AS metadata, time AS created_at, sample_weight
FROM auth_events
WHERE echo_of IS NULL
