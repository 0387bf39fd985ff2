-- title: Conversations that were sent
-- about: Prompts and answers that instrumentations captured and the seal took out, or that the configuration keeps, by service.
WITH seen AS (
    SELECT service_name, sdk_language, map_keys(attributes) AS left_over, coalesce(array_element(map_extract(redactions, 'content'), 1), '0') AS taken_out FROM provider_calls WHERE received_time >= $since
    UNION ALL
    SELECT service_name, sdk_language, map_keys(attributes) AS left_over, coalesce(array_element(map_extract(redactions, 'content'), 1), '0') AS taken_out FROM spans WHERE received_time >= $since
    UNION ALL
    SELECT service_name, sdk_language, map_keys(attributes) AS left_over, coalesce(array_element(map_extract(redactions, 'content'), 1), '0') AS taken_out FROM logs WHERE received_time >= $since
),
told AS (
    SELECT service_name, sdk_language, taken_out <> '0' AS is_taken_out,
           array_has_any(left_over, ['gen_ai.input.messages', 'gen_ai.output.messages', 'gen_ai.system_instructions', 'gen_ai.prompt', 'gen_ai.completion']) AS is_kept
    FROM seen
    WHERE (service_name IS DISTINCT FROM 'marquetry-doctor')
)
SELECT coalesce(service_name, 'unknown') AS service, coalesce(sdk_language, 'unknown') AS language, count(*) AS total,
       sum(CASE WHEN is_kept THEN 1 ELSE 0 END) AS kept
FROM told
WHERE is_taken_out OR is_kept
GROUP BY coalesce(service_name, 'unknown'), coalesce(sdk_language, 'unknown')
ORDER BY service
