-- title: Cost per analysis
-- about: What one request costs in provider calls, by the route at the root of its trace and UTC day. PostBro's analyses are route /api/analysis/analyze/. Requests that called nobody count as well, refused ones (4xx) do not; cost_usd is NULL while nothing could be priced. Where rows are sampled, a request and its call are found together as often as the rarer of the two, so that the pair has the larger weight.
WITH ordered AS (
    SELECT tenant, service_name, route, trace_id, time, status_code, coalesce(sample_weight, 1) AS weight,
           row_number() OVER (PARTITION BY tenant, trace_id ORDER BY time) AS place
    FROM requests
    WHERE echo_of IS NULL AND trace_id IS NOT NULL AND route IS NOT NULL
), roots AS (
    SELECT tenant, service_name, route, trace_id, CAST(time AS DATE) AS day, weight
    FROM ordered
    WHERE place = 1 AND coalesce(status_code, 200) NOT BETWEEN 400 AND 499
), called AS (
    SELECT r.tenant, r.trace_id, greatest(r.weight, coalesce(c.sample_weight, 1)) AS weight, c.cost_usd, c.cost_status
    FROM roots AS r JOIN provider_calls AS c ON c.tenant = r.tenant AND c.trace_id = r.trace_id
    WHERE c.echo_of IS NULL AND coalesce(c.operation, '') NOT IN ('invoke_agent', 'invoke_workflow', 'create_agent', 'plan', 'execute_tool')
), calls AS (
    SELECT tenant, trace_id, min(weight) AS weight, sum(weight) AS calls,
           sum(CASE WHEN weight = 1 THEN cost_usd ELSE CAST(CAST(cost_usd AS DOUBLE) * weight AS DECIMAL(38, 18)) END) AS cost_usd,
           sum(CASE WHEN cost_usd IS NULL AND coalesce(cost_status, '') <> 'aggregate' THEN weight ELSE 0 END) AS unpriced
    FROM called
    GROUP BY tenant, trace_id
)
SELECT r.tenant, r.service_name, r.route, r.day,
       sum(r.weight) AS analyses,
       CAST(round(sum(c.weight)) AS BIGINT) AS analyses_with_calls,
       sum(c.cost_usd) AS cost_usd,
       CAST(sum(c.cost_usd) AS DOUBLE) / sum(r.weight) AS cost_per_analysis_usd,
       CAST(round(coalesce(sum(c.calls), 0)) AS BIGINT) AS calls,
       coalesce(sum(c.unpriced), 0) AS unpriced_calls
FROM roots AS r LEFT JOIN calls AS c ON c.tenant = r.tenant AND c.trace_id = r.trace_id
GROUP BY r.tenant, r.service_name, r.route, r.day
HAVING count(c.trace_id) > 0
