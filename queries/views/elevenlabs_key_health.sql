-- title: Health of ElevenLabs keys
-- about: Characters used this month against the plan, refusals of the last day and the last error, by key. Uses, what is said of the period so far, and calls report the same characters, so the highest of the three holds.
WITH reported AS (
    SELECT tenant, key_ref,
           greatest(coalesce(sum(CASE WHEN event = 'usage' THEN characters END), 0), coalesce(max(CASE WHEN event <> 'usage' THEN characters END), 0)) AS characters,
           max(limit_count) AS character_limit,
           max(CASE WHEN event = 'exhausted' THEN 1 ELSE 0 END) AS exhausted,
           sum(CASE WHEN time >= now() - INTERVAL '1 day' AND (event = 'rate_limited' OR status_code = 429) THEN coalesce(sample_weight, 1) ELSE 0 END) AS refused_24h,
           last_value(coalesce(error_type, reason) ORDER BY time) FILTER (WHERE coalesce(error_type, reason) IS NOT NULL) AS last_error,
           max(time) AS last_time
    FROM key_events
    WHERE echo_of IS NULL AND key_ref IS NOT NULL AND coalesce(provider, 'elevenlabs') = 'elevenlabs' AND time >= date_trunc('month', now())
    GROUP BY tenant, key_ref
), called AS (
    SELECT tenant, key_ref,
           sum(billed_characters * coalesce(sample_weight, 1)) AS characters,
           sum(CASE WHEN time >= now() - INTERVAL '1 day' AND status_code = 429 THEN coalesce(sample_weight, 1) ELSE 0 END) AS refused_24h,
           last_value(error_type ORDER BY time) FILTER (WHERE error_type IS NOT NULL) AS last_error,
           max(time) AS last_time
    FROM provider_calls
    WHERE echo_of IS NULL AND key_ref IS NOT NULL AND provider = 'elevenlabs' AND time >= date_trunc('month', now())
    GROUP BY tenant, key_ref
), joined AS (
    SELECT coalesce(r.tenant, c.tenant) AS tenant, coalesce(r.key_ref, c.key_ref) AS key_ref,
           greatest(coalesce(CAST(r.characters AS DOUBLE), 0), coalesce(CAST(c.characters AS DOUBLE), 0)) AS characters_used,
           r.character_limit, coalesce(r.exhausted, 0) AS exhausted,
           greatest(coalesce(r.refused_24h, 0), coalesce(c.refused_24h, 0)) AS refused_24h,
           coalesce(c.last_error, r.last_error) AS last_error,
           greatest(r.last_time, c.last_time) AS last_time
    FROM reported AS r FULL JOIN called AS c ON c.tenant = r.tenant AND c.key_ref = r.key_ref
)
SELECT tenant, key_ref, characters_used, character_limit, characters_used / character_limit * 100 AS percent_used, refused_24h, last_error,
       CASE WHEN exhausted = 1 OR characters_used >= character_limit THEN 'exhausted'
            WHEN characters_used >= character_limit * 0.9 THEN 'critical'
            WHEN characters_used >= character_limit * 0.75 THEN 'warn'
            ELSE 'ok' END AS health,
       last_time
FROM joined
