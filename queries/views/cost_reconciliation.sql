-- title: Reported against computed cost
-- about: What providers and senders say that calls cost beside what the price list says, in US dollars, by provider and model.
SELECT tenant, provider, model,
       sum(weight) AS calls,
       sum(reported * weight) AS reported_usd,
       sum(computed * weight) AS computed_usd,
       sum((computed - reported) * weight) AS difference_usd
FROM (
  SELECT tenant, provider, coalesce(response_model, request_model) AS model,
         coalesce(sample_weight, 1) AS weight,
         CAST(reported_cost AS DOUBLE) AS reported,
         CAST(CASE WHEN cost_source IN ('provider', 'sender') THEN list_cost_usd ELSE cost_usd END AS DOUBLE) AS computed
  FROM provider_calls
  WHERE echo_of IS NULL AND reported_cost IS NOT NULL AND upper(coalesce(reported_currency, 'USD')) = 'USD'
)
WHERE computed IS NOT NULL
GROUP BY tenant, provider, model
