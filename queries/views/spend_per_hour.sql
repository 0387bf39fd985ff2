-- title: Spend per hour, and what is far from usual
-- about: US dollars by service and hour of the last 28 days. Usual is the median of the same hour on the days before; robust_z is the distance from it in robust deviations. A spike is 3.5 of them and a dollar or more; NULL while fewer than seven days are known.
WITH spend AS (
    SELECT tenant, coalesce(service_name, 'unknown') AS service_name, date_trunc('hour', time) AS hour,
           sum(coalesce(sample_weight, 1)) AS calls,
           sum(CASE WHEN coalesce(sample_weight, 1) = 1 THEN cost_usd
             ELSE CAST(CAST(cost_usd AS DOUBLE) * sample_weight AS DECIMAL(38, 18)) END) AS cost_usd
    FROM provider_calls
    WHERE echo_of IS NULL AND time >= date_trunc('hour', now() - INTERVAL '28 days') AND time <= now()
      AND coalesce(operation, '') NOT IN ('invoke_agent', 'invoke_workflow', 'create_agent', 'plan', 'execute_tool')
    GROUP BY tenant, coalesce(service_name, 'unknown'), date_trunc('hour', time)
), calendar AS (
    -- Quiet hours count too: from the first call of a service to now.
    SELECT tenant, service_name, unnest(generate_series(min(hour), date_trunc('hour', now()), INTERVAL '1 hour')) AS hour
    FROM spend
    GROUP BY tenant, service_name
), filled AS (
    SELECT c.tenant, c.service_name, c.hour, coalesce(s.calls, 0) AS calls,
           CASE WHEN s.calls IS NULL THEN CAST(0 AS DECIMAL(38, 18)) ELSE s.cost_usd END AS cost_usd
    FROM calendar AS c LEFT JOIN spend AS s ON s.tenant = c.tenant AND s.service_name = c.service_name AND s.hour = c.hour
), pairs AS (
    SELECT f.tenant, f.service_name, f.hour, CAST(b.cost_usd AS DOUBLE) AS before
    FROM filled AS f
    JOIN filled AS b ON b.tenant = f.tenant AND b.service_name = f.service_name AND date_part('hour', b.hour) = date_part('hour', f.hour) AND b.hour < f.hour
    WHERE b.cost_usd IS NOT NULL
), medians AS (
    SELECT tenant, service_name, hour, median(before) AS usual, count(*) AS days
    FROM pairs
    GROUP BY tenant, service_name, hour
), spreads AS (
    SELECT p.tenant, p.service_name, p.hour, median(abs(p.before - m.usual)) AS spread
    FROM pairs AS p JOIN medians AS m ON m.tenant = p.tenant AND m.service_name = p.service_name AND m.hour = p.hour
    GROUP BY p.tenant, p.service_name, p.hour
), scored AS (
    SELECT f.tenant, f.service_name, f.hour, f.calls, f.cost_usd, m.usual AS usual_usd, coalesce(m.days, 0) AS known_days,
           CASE WHEN m.days >= 7 THEN 0.6745 * (CAST(f.cost_usd AS DOUBLE) - m.usual) / greatest(s.spread, 0.05 * m.usual, 0.01) END AS robust_z
    FROM filled AS f
    LEFT JOIN medians AS m ON m.tenant = f.tenant AND m.service_name = f.service_name AND m.hour = f.hour
    LEFT JOIN spreads AS s ON s.tenant = f.tenant AND s.service_name = f.service_name AND s.hour = f.hour
)
SELECT tenant, service_name, hour, calls, cost_usd, usual_usd, robust_z,
       robust_z >= 3.5 AND CAST(cost_usd AS DOUBLE) - usual_usd >= 1 AS is_spike,
       known_days
FROM scored
