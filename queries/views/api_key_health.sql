-- title: Health of API keys, this month
-- about: By provider and key: characters (or requests, where none are counted) against the plan, cost, refusals of the last day, the last error and the last event. Uses, health checks and calls report the same characters, so the highest of the three holds.
WITH reported AS (
    SELECT tenant, provider, key_ref,
           greatest(coalesce(sum(CASE WHEN event = 'usage' THEN characters END), 0), coalesce(max(CASE WHEN event = 'health' THEN characters END), 0)) AS characters,
           greatest(coalesce(sum(CASE WHEN event = 'usage' THEN requests END), 0), coalesce(max(CASE WHEN event = 'health' THEN requests END), 0)) AS requests,
           last_value(limit_count ORDER BY time) FILTER (WHERE limit_count IS NOT NULL) AS limit_count,
           max(CASE WHEN event = 'exhausted' THEN time END) AS exhausted_at,
           max(CASE WHEN event = 'revoked' THEN time END) AS revoked_at,
           sum(CASE WHEN time >= now() - INTERVAL '1 day' AND (event = 'rate_limited' OR status_code = 429) THEN coalesce(sample_weight, 1) ELSE 0 END) AS refused_24h,
           last_value(coalesce(error_type, reason) ORDER BY time) FILTER (WHERE coalesce(error_type, reason) IS NOT NULL) AS last_error,
           last_value(event ORDER BY time) FILTER (WHERE event NOT IN ('usage', 'health')) AS last_event,
           max(time) AS last_time
    FROM key_events
    WHERE echo_of IS NULL AND key_ref IS NOT NULL AND time >= date_trunc('month', now())
    GROUP BY tenant, provider, key_ref
), called AS (
    SELECT tenant, provider, key_ref,
           sum(coalesce(sample_weight, 1)) AS calls,
           sum(billed_characters * coalesce(sample_weight, 1)) AS characters,
           sum(CASE WHEN coalesce(sample_weight, 1) = 1 THEN cost_usd
             ELSE CAST(CAST(cost_usd AS DOUBLE) * sample_weight AS DECIMAL(38, 18)) END) AS cost_usd,
           sum(CASE WHEN time >= now() - INTERVAL '1 day' AND status_code = 429 THEN coalesce(sample_weight, 1) ELSE 0 END) AS refused_24h,
           last_value(error_type ORDER BY time) FILTER (WHERE error_type IS NOT NULL) AS last_error,
           max(time) AS last_time
    FROM provider_calls
    WHERE echo_of IS NULL AND key_ref IS NOT NULL AND time >= date_trunc('month', now())
    GROUP BY tenant, provider, key_ref
), joined AS (
    SELECT coalesce(r.tenant, c.tenant) AS tenant, coalesce(r.provider, c.provider) AS provider, coalesce(r.key_ref, c.key_ref) AS key_ref,
           greatest(coalesce(CAST(r.characters AS DOUBLE), 0), coalesce(CAST(c.characters AS DOUBLE), 0)) AS characters,
           greatest(coalesce(CAST(r.requests AS DOUBLE), 0), coalesce(CAST(c.calls AS DOUBLE), 0)) AS requests,
           r.limit_count, r.exhausted_at, r.revoked_at, coalesce(c.calls, 0) AS calls, c.cost_usd,
           greatest(coalesce(r.refused_24h, 0), coalesce(c.refused_24h, 0)) AS refused_24h,
           coalesce(c.last_error, r.last_error) AS last_error, r.last_event, greatest(r.last_time, c.last_time) AS last_time
    FROM reported AS r FULL JOIN called AS c ON c.tenant = r.tenant AND c.provider = r.provider AND c.key_ref = r.key_ref
), used AS (
    SELECT *, CASE WHEN characters > 0 THEN 'characters' ELSE 'requests' END AS unit, CASE WHEN characters > 0 THEN characters ELSE requests END AS used
    FROM joined
)
SELECT tenant, provider, key_ref, used, unit, limit_count, used / limit_count * 100 AS percent_used,
       CASE WHEN revoked_at IS NOT NULL THEN 'revoked'
            WHEN exhausted_at IS NOT NULL OR used >= limit_count THEN 'exhausted'
            WHEN used >= limit_count * 0.9 THEN 'critical'
            WHEN used >= limit_count * 0.75 THEN 'warn'
            WHEN limit_count IS NOT NULL THEN 'ok' END AS health,
       exhausted_at, calls, cost_usd, refused_24h, last_error, last_event, last_time
FROM used
