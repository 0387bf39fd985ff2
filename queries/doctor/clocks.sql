-- title: How far senders' clocks are from ours
-- about: Seconds from a record's own time (a span's end, a log's observation) to its receipt, by service: the least, the median and the most.
WITH seen AS (
    SELECT service_name, sdk_language, received_time, coalesce(observed_time, time) AS sent_time FROM requests
    UNION ALL
    SELECT service_name, sdk_language, received_time, coalesce(observed_time, time) AS sent_time FROM provider_calls
    UNION ALL
    SELECT service_name, sdk_language, received_time, coalesce(observed_time, time) AS sent_time FROM activity_events
    UNION ALL
    SELECT service_name, sdk_language, received_time, coalesce(observed_time, time) AS sent_time FROM auth_events
    UNION ALL
    SELECT service_name, sdk_language, received_time, coalesce(observed_time, time) AS sent_time FROM spans
    UNION ALL
    SELECT service_name, sdk_language, received_time, coalesce(observed_time, time) AS sent_time FROM logs
),
delays AS (
    SELECT coalesce(service_name, 'unknown') AS service, coalesce(sdk_language, 'unknown') AS language,
           (CAST(received_time AS BIGINT) - CAST(sent_time AS BIGINT)) / 1000000 AS seconds
    FROM seen
    WHERE received_time >= $since AND sent_time IS NOT NULL AND (service_name IS DISTINCT FROM 'marquetry-doctor')
)
SELECT service, language, count(*) AS total, min(seconds) AS least, CAST(approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS BIGINT) AS median,
       max(seconds) AS most
FROM delays
GROUP BY service, language
ORDER BY service, language
