-- The questions of `telemetry-gateway serve`, of the sums. `{project:String}`, `{from:Date}` and `{to:Date}` are parameters of the query:
-- `SET param_project = 'omni'`, or `--param_project=omni` of `clickhouse client`.

-- days
SELECT Day, Installations FROM telemetry.daily_installations FINAL
WHERE ServiceName = {project:String} AND Day BETWEEN {from:Date} AND {to:Date} ORDER BY Day
;
-- versions
SELECT Version, sum(Count) AS Events FROM telemetry.daily_words
WHERE ServiceName = {project:String} AND Day BETWEEN {from:Date} AND {to:Date} AND Key = '' GROUP BY Version ORDER BY Events DESC
;
-- systems
SELECT System, sum(Count) AS Events FROM telemetry.daily_words
WHERE ServiceName = {project:String} AND Day BETWEEN {from:Date} AND {to:Date} AND Key = '' GROUP BY System ORDER BY Events DESC
;
-- events
SELECT EventName, sum(Count) AS Events FROM telemetry.daily_words
WHERE ServiceName = {project:String} AND Day BETWEEN {from:Date} AND {to:Date} AND Key = '' GROUP BY EventName ORDER BY Events DESC
;
-- words
SELECT EventName, Key, Value, sum(Count) AS Events, sumMap(map(Day, Count)) AS Days FROM telemetry.daily_words
WHERE ServiceName = {project:String} AND Day BETWEEN {from:Date} AND {to:Date} AND Key != ''
GROUP BY EventName, Key, Value ORDER BY EventName, Key, Events DESC, Value
;
-- trend
SELECT Day, EventName, sum(Count) AS Events FROM telemetry.daily_words
WHERE ServiceName = {project:String} AND Day BETWEEN {from:Date} AND {to:Date} AND Key = '' GROUP BY Day, EventName ORDER BY Day, Events DESC
;
-- values: a duration's class is named by its lowest value
SELECT EventName, Key, sum(Count) AS Events,
  quantilesExactWeighted(0.5, 0.9, 0.99)(toUInt32OrZero(Value), Count) AS Quantiles
FROM telemetry.daily_words
WHERE ServiceName = {project:String} AND Day BETWEEN {from:Date} AND {to:Date} AND Key LIKE '%duration%'
GROUP BY EventName, Key ORDER BY EventName, Key
;
-- histograms
SELECT MetricName, Attributes, sum(Count) AS Values,
  quantilesExactWeighted(0.5, 0.9, 0.99)(assumeNotNull(Class), Count) AS Quantiles
FROM telemetry.daily_counts
WHERE ServiceName = {project:String} AND Day BETWEEN {from:Date} AND {to:Date} AND Class IS NOT NULL
GROUP BY MetricName, Attributes ORDER BY MetricName, Values DESC
;
-- counters
SELECT MetricName, Attributes, sum(Count) AS Total FROM telemetry.daily_counts
WHERE ServiceName = {project:String} AND Day BETWEEN {from:Date} AND {to:Date} AND Class IS NULL
GROUP BY MetricName, Attributes ORDER BY MetricName, Total DESC
;
-- errors: by code in a thousand of all events; failures in a thousand of their own
WITH totals AS (
  SELECT EventName, sum(Count) AS Events FROM telemetry.daily_words
  WHERE ServiceName = {project:String} AND Day BETWEEN {from:Date} AND {to:Date} AND Key = '' GROUP BY EventName
)
SELECT EventName, Value, sum(Count) AS Errors,
  if(Key = 'error_code', (SELECT sum(Events) FROM totals), any(totals.Events)) AS Of, floor(1000 * Errors / Of, 1) AS InAThousand
FROM telemetry.daily_words LEFT JOIN totals USING EventName
WHERE ServiceName = {project:String} AND Day BETWEEN {from:Date} AND {to:Date}
  AND ((EventName = 'automagik.error' AND Key = 'error_code') OR (Key = 'success' AND Value = 'false'))
GROUP BY EventName, Key, Value ORDER BY Errors DESC, EventName, Value
;
-- lost
SELECT Key, Value, sum(Count) AS Events FROM telemetry.daily_words
WHERE ServiceName = {project:String} AND Day BETWEEN {from:Date} AND {to:Date} AND EventName = 'automagik.telemetry.dropped' AND Key != ''
GROUP BY Key, Value ORDER BY Key, Events DESC
;
-- crashes: of the details
SELECT count() AS Crashes, LogAttributes['service.version'] AS Version, LogAttributes['exception.type'] AS Type,
  LogAttributes['exception.stacktrace'] AS Stack
FROM telemetry.otel_logs
WHERE ServiceName = {project:String} AND toDate(Arrived) BETWEEN {from:Date} AND {to:Date} AND EventName = 'app.crash'
GROUP BY Version, Type, Stack ORDER BY Crashes DESC
;
-- rare: combinations of an event's words that fewer than five installations said. Nobody else should see them.
SELECT EventName, LogAttributes, uniqExact(ResourceAttributes['app.installation.id']) AS Installations
FROM telemetry.otel_logs
WHERE ServiceName = {project:String} AND toDate(Arrived) BETWEEN {from:Date} AND {to:Date}
GROUP BY EventName, LogAttributes HAVING Installations < 5 ORDER BY EventName
