-- Who may do what. Put passwords' hashes here: `printf '%s' PASSWORD | sha256sum`.
-- The Collector writes and reads nothing; maintainers read and write nothing; a dashboard reads sums alone.

CREATE ROLE IF NOT EXISTS writer
;
GRANT INSERT ON telemetry.otel_logs TO writer
;
GRANT INSERT ON telemetry.otel_metrics_sum TO writer
;
GRANT INSERT ON telemetry.otel_metrics_histogram TO writer
;
-- With `json: true`.
GRANT INSERT ON telemetry.otel_json_logs TO writer
;
GRANT INSERT ON telemetry.otel_json_metrics_sum TO writer
;
GRANT INSERT ON telemetry.otel_json_metrics_histogram TO writer
;
CREATE ROLE IF NOT EXISTS maintainer
;
GRANT SELECT ON telemetry.* TO maintainer
;
CREATE ROLE IF NOT EXISTS dashboard
;
GRANT SELECT ON telemetry.daily_words TO dashboard
;
GRANT SELECT ON telemetry.daily_counts TO dashboard
;
GRANT SELECT ON telemetry.daily_installations TO dashboard
;
CREATE USER IF NOT EXISTS collector IDENTIFIED WITH sha256_hash BY '${COLLECTOR_PASSWORD_SHA256}' DEFAULT ROLE writer
;
CREATE USER IF NOT EXISTS ada IDENTIFIED WITH sha256_hash BY '${MAINTAINER_PASSWORD_SHA256}' DEFAULT ROLE maintainer
;
CREATE USER IF NOT EXISTS grafana IDENTIFIED WITH sha256_hash BY '${DASHBOARD_PASSWORD_SHA256}' DEFAULT ROLE dashboard SETTINGS readonly = 2
