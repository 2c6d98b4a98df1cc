import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Peer: Kafka Streams by an expert: one processor, bytes in, a streaming parser, a logged store written once a second. */
public final class StreamsPeer {
    private static final Bench.Meter METER = new Bench.Meter(Long.parseLong(Bench.env("BENCH_EVENTS")));
    private static Map<String, String> campaignOf;
    private static Bench.Results results;
    private static long flushes = 1;

    private StreamsPeer() {}

    public static void main(String[] args) throws Exception {
        Bench.Redis redis = new Bench.Redis();
        campaignOf = redis.campaigns();
        results = new Bench.Results(redis);
        Topology topology = new Topology();
        topology.addSource(
                "events", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), Bench.TOPIC);
        topology.addProcessor("count", Count::new, "events");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("views"), Serdes.String(), Serdes.Long()),
                "count");
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, Bench.GROUP);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, Bench.BOOTSTRAP);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, Bench.FOLDER);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1_000);
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 50_000);
        settings.put("input.buffer.max.bytes", 256 << 20);
        settings.put("consumer.auto.offset.reset", "earliest");
        settings.put("consumer.max.poll.records", 20_000);
        settings.put("consumer.max.partition.fetch.bytes", 4 << 20);
        settings.put("consumer.fetch.max.bytes", 16 << 20);
        settings.put("consumer.receive.buffer.bytes", 1 << 20);
        new KafkaStreams(topology, settings).start();
    }

    /** Counts one partition; all of them run in the one thread, so the sums for Redis are shared. */
    private static final class Count implements Processor<byte[], byte[], Void, Void> {
        private final JsonFactory json = new JsonFactory();
        private final Map<String, Map<Long, long[][]>> cells = new HashMap<>();
        private final Map<String, long[]> changed = new HashMap<>();
        private KeyValueStore<String, Long> store;

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            store = context.getStateStore("views");
            context.schedule(Duration.ofSeconds(1), PunctuationType.WALL_CLOCK_TIME, now -> flush());
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            try {
                read(record.value());
                if (METER.step()) {
                    flush();
                    Bench.mark("last");
                    Runtime.getRuntime().halt(0);
                }
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }

        private void read(byte[] value) throws IOException {
            String ad = null;
            long at = 0;
            boolean view = false;
            try (JsonParser parser = json.createParser(value)) {
                parser.nextToken();
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String name = parser.currentName();
                    parser.nextToken();
                    switch (name) {
                        case "ad_id" -> ad = parser.getText();
                        case "event_type" -> view = parser.getText().equals("view");
                        case "event_time" -> at = Long.parseLong(parser.getText());
                        default -> {}
                    }
                }
            }
            if (view) {
                add(campaignOf.get(ad), at - at % Bench.WIDTH);
            }
        }

        private void add(String campaign, long start) {
            long[][] pair = cells.computeIfAbsent(campaign, c -> new HashMap<>()).computeIfAbsent(start, s -> new long[2][]);
            if (pair[0] == null) {
                pair[0] = new long[2]; // views of this partition, and the flush that will write them
            }
            if (pair[0][1] != flushes) {
                pair[0][1] = flushes;
                pair[1] = results.cell(campaign, start);
                changed.put(campaign + ":" + start, pair[0]);
            }
            pair[0][0]++;
            pair[1][0]++;
        }

        private void flush() {
            changed.forEach((key, views) -> store.put(key, views[0]));
            changed.clear();
            flushes++;
            try {
                results.flush();
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }
}
