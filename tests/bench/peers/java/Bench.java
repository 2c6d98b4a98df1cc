import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What both JVM engines share: settings, marks, results in Redis. The Python engines have the same in `marks` and `job`. */
final class Bench {
    static final String BOOTSTRAP = env("BENCH_BOOTSTRAP");
    static final String TOPIC = env("BENCH_TOPIC");
    static final String GROUP = env("BENCH_GROUP");
    static final String FOLDER = env("BENCH_FOLDER");
    static final boolean HOURS = env("BENCH_JOB").equals("J2");
    static final long WIDTH = HOURS ? 60_000 : 10_000;
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private Bench() {}

    static String env(String name) {
        return System.getenv().getOrDefault(name, "");
    }

    static void mark(String name) {
        double wall = System.nanoTime() / 1e9, cpu = SYSTEM.getProcessCpuTime() / 1e9;
        System.out.printf(Locale.ROOT, "%n@mark %s %.6f %.6f%n", name, wall, cpu);
        System.out.flush();
    }

    /** Marks the beginning, the half and nine tenths of what is counted. Not thread-safe. */
    static final class Meter {
        private final long total;
        private long count;
        private long next = 1;
        private int reached;

        Meter(long total) {
            this.total = total;
        }

        /** Counts one; tells whether it was the last. */
        boolean step() {
            if (++count >= next) {
                mark(new String[] {"first", "half", "ninety", "all"}[reached++]);
                next = reached == 1 ? total / 2 : reached == 2 ? total * 9 / 10 : reached == 3 ? total : Long.MAX_VALUE;
            }
            return count == total;
        }
    }

    /** A client of Redis that knows the four commands needed here. */
    static final class Redis {
        private final OutputStream out;
        private final InputStream in;
        private int unread;

        Redis() throws IOException {
            URI address = URI.create(env("BENCH_REDIS"));
            Socket socket = new Socket(address.getHost(), address.getPort());
            out = new BufferedOutputStream(socket.getOutputStream(), 1 << 16);
            in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
        }

        Map<String, String> campaigns() throws IOException {
            List<String> command = new ArrayList<>(List.of("MGET"));
            send(List.of("SMEMBERS", "ads"));
            out.flush();
            List<?> ads = (List<?>) read();
            for (Object ad : ads) {
                command.add((String) ad);
            }
            send(command);
            out.flush();
            List<?> campaigns = (List<?>) read();
            Map<String, String> known = new HashMap<>();
            for (int i = 0; i < ads.size(); i++) {
                known.put((String) ads.get(i), (String) campaigns.get(i));
            }
            return known;
        }

        void put(String campaign, List<String> fieldsAndValues) throws IOException {
            List<String> command = new ArrayList<>(List.of("HSET", "result:" + campaign));
            command.addAll(fieldsAndValues);
            send(command);
            unread++;
        }

        void settle() throws IOException {
            out.flush();
            for (; unread > 0; unread--) {
                read();
            }
        }

        private void send(List<String> words) throws IOException {
            out.write(("*" + words.size() + "\r\n").getBytes(StandardCharsets.UTF_8));
            for (String word : words) {
                byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
                out.write(("$" + bytes.length + "\r\n").getBytes(StandardCharsets.UTF_8));
                out.write(bytes);
                out.write('\r');
                out.write('\n');
            }
        }

        private Object read() throws IOException {
            int kind = in.read();
            StringBuilder text = new StringBuilder();
            for (int c = in.read(); c != '\r'; c = in.read()) {
                text.append((char) c);
            }
            in.read();
            if (kind == '-') {
                throw new IOException(text.toString());
            }
            if (kind == '$') {
                byte[] bytes = in.readNBytes(Integer.parseInt(text.toString()));
                in.readNBytes(2);
                return new String(bytes, StandardCharsets.UTF_8);
            }
            if (kind == '*') {
                List<Object> items = new ArrayList<>();
                for (int left = Integer.parseInt(text.toString()); left > 0; left--) {
                    items.add(read());
                }
                return items;
            }
            return text.toString();
        }
    }

    /** Sums in memory, brought to Redis as absolute values: views per campaign and window, or rolling hours of minutes. */
    static final class Results {
        private final Redis redis;
        private final Map<String, TreeMap<Long, long[]>> cells = new HashMap<>();
        private final Map<String, TreeMap<Long, long[]>> dirty = new HashMap<>();

        Results(Redis redis) {
            this.redis = redis;
        }

        /** The cell of a campaign and window; whoever asks is going to change it. */
        long[] cell(String campaign, long start) {
            long[] cell = cells.computeIfAbsent(campaign, c -> new TreeMap<>()).computeIfAbsent(start, s -> new long[1]);
            dirty.computeIfAbsent(campaign, c -> new TreeMap<>()).put(start, cell);
            return cell;
        }

        void flush() throws IOException {
            if (HOURS) {
                hours();
            } else {
                for (var row : dirty.entrySet()) {
                    List<String> pairs = new ArrayList<>();
                    row.getValue().forEach((start, cell) -> {
                        pairs.add(Long.toString(start));
                        pairs.add(Long.toString(cell[0]));
                    });
                    redis.put(row.getKey(), pairs);
                }
            }
            redis.settle();
            dirty.clear();
        }

        private void hours() throws IOException {
            if (dirty.isEmpty()) {
                return;
            }
            long low = dirty.values().stream().mapToLong(TreeMap::firstKey).min().orElseThrow();
            long high = cells.values().stream().mapToLong(TreeMap::lastKey).max().orElseThrow();
            for (var row : cells.entrySet()) {
                List<String> pairs = new ArrayList<>();
                long sum = 0;
                for (long[] cell : row.getValue().subMap(low - 60 * WIDTH, low).values()) {
                    sum += cell[0];
                }
                for (long minute = low; minute <= high; minute += WIDTH) {
                    long[] in = row.getValue().get(minute), out = row.getValue().get(minute - 60 * WIDTH);
                    sum += (in == null ? 0 : in[0]) - (out == null ? 0 : out[0]);
                    pairs.add(Long.toString(minute + WIDTH));
                    pairs.add(Long.toString(sum));
                }
                redis.put(row.getKey(), pairs);
            }
        }
    }
}
