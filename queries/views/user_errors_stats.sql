-- title: SeeMe's get_user_errors_stats
-- about: Errors by user.
SELECT tenant, user_ref AS user_id, sum(coalesce(sample_weight, 1)) AS errors, count(DISTINCT error_type) AS kinds, max(time) AS last_error
FROM errors
WHERE echo_of IS NULL
GROUP BY tenant, user_ref
