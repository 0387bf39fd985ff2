-- title: Cost per service, model and day
-- about: US dollars by calling service, provider and model and UTC day.
SELECT tenant, CAST(time AS DATE) AS day, service_name, provider, coalesce(response_model, request_model) AS model,
       sum(coalesce(sample_weight, 1)) AS calls,
       sum(CASE WHEN coalesce(sample_weight, 1) = 1 THEN cost_usd
             ELSE CAST(CAST(cost_usd AS DOUBLE) * sample_weight AS DECIMAL(38, 18)) END) AS cost_usd,
       sum(CASE WHEN cost_usd IS NULL AND coalesce(cost_status, '') <> 'aggregate' THEN coalesce(sample_weight, 1) ELSE 0 END) AS unpriced_calls
FROM provider_calls
WHERE echo_of IS NULL AND coalesce(operation, '') NOT IN ('invoke_agent', 'invoke_workflow', 'create_agent', 'plan', 'execute_tool')
GROUP BY tenant, CAST(time AS DATE), service_name, provider, coalesce(response_model, request_model)
