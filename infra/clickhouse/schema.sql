-- Tables for the OpenTelemetry Collector's ClickHouse exporter (contrib 0.151 or later, `create_schema: false`): its own columns, and beside them when a row arrived,
-- by which it is kept. The exporter names the columns that it writes, so `Arrived` is filled here.
--
-- Details: 30 days. Sums of a day: a year, without pseudonyms. A day is a partition, which is dropped whole.

CREATE DATABASE IF NOT EXISTS telemetry
;
CREATE TABLE IF NOT EXISTS telemetry.otel_logs (
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    TraceFlags UInt8,
    SeverityText LowCardinality(String) CODEC(ZSTD(1)),
    SeverityNumber UInt8,
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    Body String CODEC(ZSTD(1)),
    ResourceSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion LowCardinality(String) CODEC(ZSTD(1)),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    LogAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    EventName LowCardinality(String) CODEC(ZSTD(1)),
    Arrived DateTime DEFAULT now() CODEC(Delta, ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toDate(Arrived)
ORDER BY (ServiceName, EventName, Arrived)
TTL Arrived + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1
;
CREATE TABLE IF NOT EXISTS telemetry.otel_metrics_sum (
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ResourceSchemaUrl String CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
    ScopeSchemaUrl String CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    MetricName LowCardinality(String) CODEC(ZSTD(1)),
    MetricDescription String CODEC(ZSTD(1)),
    MetricUnit String CODEC(ZSTD(1)),
    Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    StartTimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
    TimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
    Value Float64 CODEC(ZSTD(1)),
    Flags UInt32 CODEC(ZSTD(1)),
    Exemplars Nested (FilteredAttributes Map(LowCardinality(String), String), TimeUnix DateTime64(9), Value Float64, SpanId String, TraceId String) CODEC(ZSTD(1)),
    AggregationTemporality Int32 CODEC(ZSTD(1)),
    IsMonotonic Boolean CODEC(Delta, ZSTD(1)),
    Arrived DateTime DEFAULT now() CODEC(Delta, ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toDate(Arrived)
ORDER BY (ServiceName, MetricName, Arrived)
TTL Arrived + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1
;
-- All as for sums but for what a point is.
CREATE TABLE IF NOT EXISTS telemetry.otel_metrics_histogram AS telemetry.otel_metrics_sum
;
ALTER TABLE telemetry.otel_metrics_histogram
    DROP COLUMN IF EXISTS Value,
    DROP COLUMN IF EXISTS IsMonotonic,
    ADD COLUMN IF NOT EXISTS Count UInt64 CODEC(Delta, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS Sum Float64 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS BucketCounts Array(UInt64) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS ExplicitBounds Array(Float64) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS Min Float64 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS Max Float64 CODEC(ZSTD(1))
;
-- How often each word of each event was said in a day. An empty key counts the event itself.
CREATE TABLE IF NOT EXISTS telemetry.daily_words (
    Day Date,
    ServiceName LowCardinality(String),
    Version LowCardinality(String),
    System LowCardinality(String),
    EventName LowCardinality(String),
    Key LowCardinality(String),
    Value String,
    Count UInt64
) ENGINE = SummingMergeTree(Count)
PARTITION BY toStartOfMonth(Day)
ORDER BY (ServiceName, Day, EventName, Key, Value, Version, System)
TTL Day + INTERVAL 1 YEAR
;
CREATE MATERIALIZED VIEW IF NOT EXISTS telemetry.daily_words_of_logs TO telemetry.daily_words AS
SELECT
    toDate(Arrived) AS Day,
    ServiceName,
    ResourceAttributes['service.version'] AS Version,
    trim(concat(ResourceAttributes['os.type'], ' ', ResourceAttributes['host.arch'])) AS System,
    EventName,
    word.1 AS Key,
    word.2 AS Value,
    count() AS Count
FROM telemetry.otel_logs
ARRAY JOIN arrayPushFront(arrayZip(mapKeys(LogAttributes)::Array(String), mapValues(LogAttributes)), ('', '')) AS word
WHERE EventName != '' AND EventName != 'app.crash' AND word.1 != 'log.record.uid'
GROUP BY ALL
;
-- Counters and classes of histograms in a day. A class is named by its lowest value.
CREATE TABLE IF NOT EXISTS telemetry.daily_counts (
    Day Date,
    ServiceName LowCardinality(String),
    Version LowCardinality(String),
    MetricName LowCardinality(String),
    Attributes Map(LowCardinality(String), String),
    Class Nullable(Float64),
    Count UInt64
) ENGINE = SummingMergeTree(Count)
PARTITION BY toStartOfMonth(Day)
ORDER BY (ServiceName, Day, MetricName, Version, Attributes, Class)
TTL Day + INTERVAL 1 YEAR
SETTINGS allow_nullable_key = 1
;
CREATE MATERIALIZED VIEW IF NOT EXISTS telemetry.daily_counts_of_sums TO telemetry.daily_counts AS
SELECT
    toDate(Arrived) AS Day,
    ServiceName,
    ResourceAttributes['service.version'] AS Version,
    MetricName,
    Attributes,
    CAST(NULL AS Nullable(Float64)) AS Class,
    toUInt64(sum(Value)) AS Count
FROM telemetry.otel_metrics_sum
WHERE AggregationTemporality = 1 AND IsMonotonic
GROUP BY ALL
;
CREATE MATERIALIZED VIEW IF NOT EXISTS telemetry.daily_counts_of_histograms TO telemetry.daily_counts AS
SELECT
    toDate(Arrived) AS Day,
    ServiceName,
    ResourceAttributes['service.version'] AS Version,
    MetricName,
    Attributes,
    class.2 AS Class,
    sum(class.1) AS Count
FROM telemetry.otel_metrics_histogram
ARRAY JOIN arrayZip(BucketCounts, arrayPushFront(arrayMap(bound -> bound + 1, ExplicitBounds), 0.)) AS class
WHERE AggregationTemporality = 1 AND class.1 > 0
GROUP BY ALL
;
-- How many installations there were in a day: numbers, and no sketch that could be asked who they were.
CREATE TABLE IF NOT EXISTS telemetry.daily_installations (
    Day Date,
    ServiceName LowCardinality(String),
    Installations UInt64
) ENGINE = ReplacingMergeTree
ORDER BY (ServiceName, Day)
TTL Day + INTERVAL 1 YEAR
;
-- Once a day, of the day before.
CREATE MATERIALIZED VIEW IF NOT EXISTS telemetry.daily_installations_of_logs
REFRESH EVERY 1 DAY OFFSET 15 MINUTE APPEND TO telemetry.daily_installations AS
SELECT yesterday() AS Day, ServiceName, uniqExact(ResourceAttributes['app.installation.id']) AS Installations
FROM telemetry.otel_logs
WHERE toDate(Arrived) = yesterday()
GROUP BY ServiceName
