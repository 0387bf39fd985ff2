-- title: Reported against computed cost
-- about: What senders say that calls cost beside what we worked out, in US dollars, by provider and model.
SELECT tenant, provider, coalesce(response_model, request_model) AS model,
       sum(coalesce(sample_weight, 1)) AS calls,
       sum(CAST(reported_cost AS DOUBLE) * coalesce(sample_weight, 1)) AS reported_usd,
       sum(CAST(cost_usd AS DOUBLE) * coalesce(sample_weight, 1)) AS computed_usd,
       sum((CAST(cost_usd AS DOUBLE) - CAST(reported_cost AS DOUBLE)) * coalesce(sample_weight, 1)) AS difference_usd
FROM provider_calls
WHERE echo_of IS NULL AND reported_cost IS NOT NULL AND cost_usd IS NOT NULL AND coalesce(reported_currency, 'USD') = 'USD'
GROUP BY tenant, provider, coalesce(response_model, request_model)
