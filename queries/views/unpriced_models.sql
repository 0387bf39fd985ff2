-- title: Models without a price
-- about: Calls that could not be priced and why (`price_match` says what is missing); calls whose price is counted elsewhere are left out.
SELECT tenant, provider, request_model, response_model, operation, cost_status, price_match,
       sum(coalesce(sample_weight, 1)) AS calls,
       sum(input_tokens * coalesce(sample_weight, 1)) AS input_tokens,
       sum(output_tokens * coalesce(sample_weight, 1)) AS output_tokens,
       min(time) AS first_seen,
       max(time) AS last_seen
FROM provider_calls
WHERE echo_of IS NULL AND cost_usd IS NULL AND coalesce(cost_status, '') <> 'aggregate' AND coalesce(operation, '') NOT IN ('invoke_agent', 'invoke_workflow', 'create_agent', 'plan', 'execute_tool')
GROUP BY tenant, provider, request_model, response_model, operation, cost_status, price_match
