-- title: Calls without a price
-- about: Calls that used something and have no price, by provider and model, and by what they count.
SELECT coalesce(service_name, 'unknown') AS service, coalesce(sdk_language, 'unknown') AS language, provider,
       coalesce(response_model, request_model) AS model, coalesce(price_match, 'unknown') AS missing, count(*) AS total,
       count(coalesce(input_tokens, output_tokens, total_tokens)) AS with_tokens, count(billed_characters) AS with_characters,
       count(audio_ns) AS with_audio, count(images) AS with_images
FROM provider_calls
WHERE received_time >= $since AND echo_of IS NULL AND cost_status = 'unpriced' AND (price_match IS DISTINCT FROM 'http_only')
      AND (service_name IS DISTINCT FROM 'marquetry-doctor')
GROUP BY coalesce(service_name, 'unknown'), coalesce(sdk_language, 'unknown'), provider, coalesce(response_model, request_model),
         coalesce(price_match, 'unknown')
ORDER BY total DESC, provider, model, service
