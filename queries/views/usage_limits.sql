-- title: SeeMe's usage_limits
-- about: Latest state of each limit by device and kind, with how often it was asked and refused.
SELECT tenant, device_ref AS device_id, limit_kind,
       last_value(used ORDER BY time) FILTER (WHERE used IS NOT NULL) AS used,
       last_value(limit_count ORDER BY time) FILTER (WHERE limit_count IS NOT NULL) AS limit_count,
       last_value(allowed ORDER BY time) FILTER (WHERE allowed IS NOT NULL) AS allowed,
       last_value(action ORDER BY time) FILTER (WHERE action IS NOT NULL) AS action,
       last_value(key_ref ORDER BY time) FILTER (WHERE key_ref IS NOT NULL) AS elevenlabs_key,
       last_value(client_prefix ORDER BY time) FILTER (WHERE client_prefix IS NOT NULL) AS ip_address,
       last_value(reset_time ORDER BY time) FILTER (WHERE reset_time IS NOT NULL) AS reset_at,
       sum(coalesce(sample_weight, 1)) AS checks,
       sum(CASE WHEN allowed = false OR action IN ('block', 'ban') THEN coalesce(sample_weight, 1) ELSE 0 END) AS refused,
       max(time) AS updated_at
FROM rate_limits
WHERE echo_of IS NULL
GROUP BY tenant, device_ref, limit_kind
