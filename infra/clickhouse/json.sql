-- For a Collector whose exporter has `json: true`, beside schema.sql: tables of the exporter's other columns, which keep nothing, and views that put what they are given
-- into the tables of schema.sql. So retention, sums, questions and dashboards are the same.
--
-- exporters.clickhouse: `json: true`, `logs_table_name: otel_json_logs`, `metrics_tables: {sum: {name: otel_json_metrics_sum}, histogram: {name: otel_json_metrics_histogram}}`.

-- Attributes as a map: JSON takes the dots of a key for a path.
CREATE FUNCTION IF NOT EXISTS telemetryAttributes AS (json) -> mapFromArrays(
    JSONAllPaths(json),
    arrayMap(path -> JSONExtractString(concat('[', arrayFold((raw, key) -> JSONExtractRaw(raw, key), splitByChar('.', path), toJSONString(json)), ']'), 1), JSONAllPaths(json))
)
;
CREATE TABLE IF NOT EXISTS telemetry.otel_json_logs (
    Timestamp DateTime64(9),
    TraceId String,
    SpanId String,
    TraceFlags UInt8,
    SeverityText LowCardinality(String),
    SeverityNumber UInt8,
    ServiceName LowCardinality(String),
    Body String,
    ResourceSchemaUrl LowCardinality(String),
    ResourceAttributes JSON,
    ScopeSchemaUrl LowCardinality(String),
    ScopeName String,
    ScopeVersion LowCardinality(String),
    ScopeAttributes JSON,
    LogAttributes JSON,
    EventName LowCardinality(String)
) ENGINE = Null
;
CREATE MATERIALIZED VIEW IF NOT EXISTS telemetry.otel_logs_of_json TO telemetry.otel_logs AS
SELECT * REPLACE (
    telemetryAttributes(ResourceAttributes) AS ResourceAttributes,
    telemetryAttributes(ScopeAttributes) AS ScopeAttributes,
    telemetryAttributes(LogAttributes) AS LogAttributes
), now() AS Arrived
FROM telemetry.otel_json_logs
;
CREATE TABLE IF NOT EXISTS telemetry.otel_json_metrics_sum (
    ResourceAttributes JSON,
    ResourceAttributesKeys Array(LowCardinality(String)),
    ResourceSchemaUrl String,
    ScopeName String,
    ScopeVersion String,
    ScopeAttributes JSON,
    ScopeAttributesKeys Array(LowCardinality(String)),
    ScopeDroppedAttrCount UInt32,
    ScopeSchemaUrl String,
    ServiceName LowCardinality(String),
    MetricName LowCardinality(String),
    MetricDescription String,
    MetricUnit String,
    Attributes JSON,
    AttributesKeys Array(LowCardinality(String)),
    StartTimeUnix DateTime64(9),
    TimeUnix DateTime64(9),
    Value Float64,
    Flags UInt32,
    Exemplars Nested (FilteredAttributes JSON, TimeUnix DateTime64(9), Value Float64, SpanId String, TraceId String),
    AggregationTemporality Int32,
    IsMonotonic Boolean
) ENGINE = Null
;
-- Exemplars are left out: programs of this library send none.
CREATE MATERIALIZED VIEW IF NOT EXISTS telemetry.otel_metrics_sum_of_json TO telemetry.otel_metrics_sum AS
SELECT * EXCEPT (ResourceAttributesKeys, ScopeAttributesKeys, AttributesKeys, `Exemplars.FilteredAttributes`, `Exemplars.TimeUnix`, `Exemplars.Value`, `Exemplars.SpanId`, `Exemplars.TraceId`)
REPLACE (
    telemetryAttributes(ResourceAttributes) AS ResourceAttributes,
    telemetryAttributes(ScopeAttributes) AS ScopeAttributes,
    telemetryAttributes(Attributes) AS Attributes
), now() AS Arrived
FROM telemetry.otel_json_metrics_sum
;
-- The same columns but for what a point is.
CREATE TABLE IF NOT EXISTS telemetry.otel_json_metrics_histogram ENGINE = Null EMPTY AS
SELECT * EXCEPT (Value, IsMonotonic),
    toUInt64(0) AS Count, toFloat64(0) AS Sum, CAST([] AS Array(UInt64)) AS BucketCounts, CAST([] AS Array(Float64)) AS ExplicitBounds,
    toFloat64(0) AS Min, toFloat64(0) AS Max
FROM telemetry.otel_json_metrics_sum
;
CREATE MATERIALIZED VIEW IF NOT EXISTS telemetry.otel_metrics_histogram_of_json TO telemetry.otel_metrics_histogram AS
SELECT * EXCEPT (ResourceAttributesKeys, ScopeAttributesKeys, AttributesKeys, `Exemplars.FilteredAttributes`, `Exemplars.TimeUnix`, `Exemplars.Value`, `Exemplars.SpanId`, `Exemplars.TraceId`)
REPLACE (
    telemetryAttributes(ResourceAttributes) AS ResourceAttributes,
    telemetryAttributes(ScopeAttributes) AS ScopeAttributes,
    telemetryAttributes(Attributes) AS Attributes
), now() AS Arrived
FROM telemetry.otel_json_metrics_histogram
