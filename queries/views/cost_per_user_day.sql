-- title: Cost per user and day
-- about: US dollars and tokens by user and UTC day. cost_usd is NULL while nothing of it could be priced; unpriced_calls says how much is missing.
SELECT tenant, CAST(time AS DATE) AS day, user_ref, provider,
       sum(coalesce(sample_weight, 1)) AS calls,
       sum(CASE WHEN coalesce(sample_weight, 1) = 1 THEN cost_usd
             ELSE CAST(CAST(cost_usd AS DOUBLE) * sample_weight AS DECIMAL(38, 18)) END) AS cost_usd,
       sum(CASE WHEN cost_usd IS NULL AND coalesce(cost_status, '') <> 'aggregate' THEN coalesce(sample_weight, 1) ELSE 0 END) AS unpriced_calls,
       sum(input_tokens * coalesce(sample_weight, 1)) AS input_tokens,
       sum(output_tokens * coalesce(sample_weight, 1)) AS output_tokens
FROM provider_calls
WHERE echo_of IS NULL AND coalesce(operation, '') NOT IN ('invoke_agent', 'invoke_workflow', 'create_agent', 'plan', 'execute_tool')
GROUP BY tenant, CAST(time AS DATE), user_ref, provider
