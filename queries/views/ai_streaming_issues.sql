-- title: Streams that broke off
-- about: Share of AI streams that were aborted, how long streams took and how long the first piece took, by provider, model and hour. Percentiles are of the weighted rows.
SELECT tenant, provider, coalesce(response_model, request_model) AS model, date_trunc('hour', time) AS hour,
       sum(coalesce(sample_weight, 1)) AS streams,
       sum(CASE WHEN stream_aborted OR status = 'aborted' THEN coalesce(sample_weight, 1) ELSE 0 END) AS aborted,
       sum(CASE WHEN stream_aborted OR status = 'aborted' THEN coalesce(sample_weight, 1) ELSE 0 END) / sum(coalesce(sample_weight, 1)) AS abort_rate,
       approx_percentile_cont_with_weight(coalesce(sample_weight, 1), 0.5) WITHIN GROUP (ORDER BY duration_ns / 1e6) AS p50_ms,
       approx_percentile_cont_with_weight(coalesce(sample_weight, 1), 0.95) WITHIN GROUP (ORDER BY duration_ns / 1e6) AS p95_ms,
       approx_percentile_cont_with_weight(coalesce(sample_weight, 1), 0.99) WITHIN GROUP (ORDER BY duration_ns / 1e6) AS p99_ms,
       approx_percentile_cont_with_weight(coalesce(sample_weight, 1), 0.5) WITHIN GROUP (ORDER BY ttfc_ns / 1e6) AS p50_first_ms,
       approx_percentile_cont_with_weight(coalesce(sample_weight, 1), 0.95) WITHIN GROUP (ORDER BY ttfc_ns / 1e6) AS p95_first_ms
FROM provider_calls
WHERE echo_of IS NULL AND (is_stream OR stream_aborted)
GROUP BY tenant, provider, coalesce(response_model, request_model), date_trunc('hour', time)
