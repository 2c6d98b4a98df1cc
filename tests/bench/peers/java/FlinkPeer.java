import java.time.Instant;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.apache.flink.util.Collector;

/** Peer: Flink SQL in one process: mini-batched GROUP BY for J1, hopping windows for J2, Redis once a second. */
public final class FlinkPeer {
    private static final Bench.Meter METER = new Bench.Meter(Long.parseLong(Bench.env("BENCH_VIEWS")));

    private FlinkPeer() {}

    public static void main(String[] args) throws Exception {
        Configuration conf = new Configuration();
        conf.setString("parallelism.default", "1");
        conf.setString("pipeline.object-reuse", "true");
        conf.setString("table.exec.mini-batch.enabled", Bench.HOURS ? "false" : "true");
        conf.setString("table.exec.mini-batch.allow-latency", "1 s");
        conf.setString("table.exec.mini-batch.size", "50000");
        conf.setString("table.local-time-zone", "UTC");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(conf);
        StreamTableEnvironment tables = StreamTableEnvironment.create(env);
        tables.createTemporarySystemFunction("campaign_of", CampaignOf.class);
        tables.executeSql(String.format(
                """
                CREATE TABLE events (
                  ad_id STRING, event_type STRING, event_time STRING,
                  ts AS TO_TIMESTAMP_LTZ(CAST(event_time AS BIGINT), 3),
                  WATERMARK FOR ts AS ts - INTERVAL '90' SECOND
                ) WITH (
                  'connector' = 'kafka', 'topic' = '%s', 'format' = 'json',
                  'properties.bootstrap.servers' = '%s', 'properties.group.id' = '%s',
                  'properties.max.partition.fetch.bytes' = '4194304', 'properties.max.poll.records' = '20000',
                  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'
                )""",
                Bench.TOPIC, Bench.BOOTSTRAP, Bench.GROUP));
        Table answer = tables.sqlQuery(Bench.HOURS
                ? """
                  SELECT campaign, window_end AS finish, COUNT(*) AS seen
                  FROM TABLE(HOP(
                    TABLE views, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' HOUR))
                  GROUP BY campaign, window_start, window_end"""
                        .replace("TABLE views", "TABLE " + views(tables))
                : """
                  SELECT campaign, ten, COUNT(*) AS seen FROM (
                    SELECT campaign_of(ad_id) AS campaign, CAST(event_time AS BIGINT) / 10000 AS ten
                    FROM events WHERE event_type = 'view')
                  GROUP BY campaign, ten""");
        DataStream<Row> changes = tables.toChangelogStream(answer);
        changes.process(new ToRedis()).sinkTo(new DiscardingSink<>());
        env.execute();
        Bench.mark("last");
        Runtime.getRuntime().halt(0);
    }

    private static String views(StreamTableEnvironment tables) {
        tables.createTemporaryView("views_of_campaigns", tables.sqlQuery(
                "SELECT campaign_of(ad_id) AS campaign, ts FROM events WHERE event_type = 'view'"));
        return "views_of_campaigns";
    }

    /** The join: the benchmark's cache of the campaign of each ad. Counts the views that pass. */
    public static final class CampaignOf extends ScalarFunction {
        private transient Map<String, String> known;

        @Override
        public void open(FunctionContext context) throws Exception {
            known = new Bench.Redis().campaigns();
        }

        public String eval(String ad) {
            METER.step();
            return known.get(ad);
        }
    }

    /** Keeps the newest value of each cell that changed and writes them once a second. */
    private static final class ToRedis extends ProcessFunction<Row, Row> {
        private transient Bench.Redis redis;
        private transient Map<String, Map<Long, Long>> dirty;
        private transient long due;

        @Override
        public void open(org.apache.flink.api.common.functions.OpenContext context) throws Exception {
            redis = new Bench.Redis();
            dirty = new java.util.HashMap<>();
        }

        @Override
        public void processElement(Row row, Context context, Collector<Row> out) throws Exception {
            if (row.getKind() == RowKind.UPDATE_BEFORE || row.getKind() == RowKind.DELETE) {
                return;
            }
            Object when = row.getField(1);
            long start = when instanceof Long ten
                    ? ten * 10_000
                    : when instanceof Instant end
                            ? end.toEpochMilli()
                            : ((java.time.LocalDateTime) when).toInstant(java.time.ZoneOffset.UTC).toEpochMilli();
            dirty.computeIfAbsent((String) row.getField(0), c -> new java.util.HashMap<>())
                    .put(start, (Long) row.getField(2));
            if (System.nanoTime() >= due) {
                flush();
                due = System.nanoTime() + 1_000_000_000L;
            }
        }

        @Override
        public void close() throws Exception {
            if (redis != null) {
                flush();
            }
        }

        private void flush() throws Exception {
            for (var row : dirty.entrySet()) {
                java.util.List<String> pairs = new java.util.ArrayList<>();
                row.getValue().forEach((start, views) -> {
                    pairs.add(Long.toString(start));
                    pairs.add(Long.toString(views));
                });
                redis.put(row.getKey(), pairs);
            }
            redis.settle();
            dirty.clear();
        }
    }
}
