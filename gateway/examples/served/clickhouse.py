# The questions of `infra/clickhouse/questions.sql`, answered by ClickHouse in process (chdb), of the rows that the example has written. Prints a line a question: its name and
# the median of five times in milliseconds, parted by a tab.
import statistics
import sys
import time

from chdb import session

folder, infra = sys.argv[1:]


def statements(name):
    with open(f"{infra}/{name}.sql") as file:
        return file.read().split("\n;\n")


database = session.Session(f"{folder}/clickhouse")
for statement in statements("schema"):
    database.query(statement)
# Days of the past: the details would go while they are asked about.
for table in ["otel_logs", "otel_metrics_histogram"]:
    database.query(f"ALTER TABLE telemetry.{table} MODIFY TTL Arrived + INTERVAL 10 YEAR")
begun = time.monotonic()
many = "SETTINGS max_partitions_per_insert_block = 1000"
program = """'omni' AS ServiceName,
  map('service.name', 'omni', 'service.version', version, 'os.type', os, 'host.arch', arch, 'app.installation.id', pseudonym) AS ResourceAttributes"""
columns = "kind String, arrived UInt32, pseudonym String, version String, os String, arch String, name String, attributes String, class UInt64, count UInt64"
rows = f"file('{folder}/rows.tsv', TSVRaw, '{columns}')"
database.query(f"""INSERT INTO telemetry.otel_logs (Timestamp, ServiceName, ResourceAttributes, LogAttributes, EventName, Arrived)
  SELECT toDateTime(arrived), {program}, JSONExtract(attributes, 'Map(String, String)'), name, toDateTime(arrived) FROM {rows} WHERE kind = 'event' {many}""")
database.query(f"""INSERT INTO telemetry.otel_metrics_histogram (TimeUnix, ServiceName, ResourceAttributes, MetricName, Attributes, BucketCounts, ExplicitBounds, AggregationTemporality, Arrived)
  SELECT toDateTime(arrived), {program}, name, JSONExtract(attributes, 'Map(String, String)'), [0, count], [class - 1], 1, toDateTime(arrived) FROM {rows} WHERE kind = 'class' {many}""")
database.query("""INSERT INTO telemetry.daily_installations
  SELECT toDate(Arrived), ServiceName, uniqExact(ResourceAttributes['app.installation.id']) FROM telemetry.otel_logs GROUP BY ALL""")
print(f"loaded in seconds\t{time.monotonic() - begun:.1f}")
for name, value in [("project", "omni"), ("from", "2020-01-01"), ("to", "2099-12-31")]:
    database.query(f"SET param_{name} = '{value}'")
for question in statements("questions"):
    name = [line for line in question.splitlines() if line.startswith("-- ")][-1][3:].split(":")[0]
    times = []
    for _ in range(5):
        begun = time.monotonic()
        database.query(question, "TabSeparated")
        times.append(1000 * (time.monotonic() - begun))
    print(f"{name}\t{statistics.median(times):.1f}")
