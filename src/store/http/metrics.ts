import type { StoreStatistics } from "../rollout-queue.ts";
import type { Route } from "./route.ts";

/** Upper bounds in seconds. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface RouteCounts {
  readonly statuses: Map<number, number>;
  readonly buckets: number[];
  count: number;
  seconds: number;
}

/** What a server counts, as Prometheus reads it. */
export class Metrics {
  readonly #routes = new Map<Route, RouteCounts>();
  readonly #unrouted = new Map<number, number>();
  #spansStored = 0;
  #spansDuplicate = 0;
  #spansRejected = 0;

  requestEnded(route: Route | undefined, { status, seconds }: { readonly status: number; readonly seconds: number }) {
    if (route === undefined) {
      this.#unrouted.set(status, (this.#unrouted.get(status) ?? 0) + 1);
      return;
    }
    const counts = this.#countsOf(route);
    counts.statuses.set(status, (counts.statuses.get(status) ?? 0) + 1);
    counts.count++;
    counts.seconds += seconds;
    const bucket = bounds.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) counts.buckets[bucket] = (counts.buckets[bucket] ?? 0) + 1;
  }

  spansReceived({ stored = 0, duplicate = 0, rejected = 0 }): void {
    this.#spansStored += stored;
    this.#spansDuplicate += duplicate;
    this.#spansRejected += rejected;
  }

  /** In the Prometheus text format, version 0.0.4. */
  render(statistics: StoreStatistics): string {
    return [...this.#requests(), ...this.#spans(), ...storeLines(statistics), ""].join("\n");
  }

  #countsOf(route: Route): RouteCounts {
    let counts = this.#routes.get(route);
    if (counts === undefined) {
      counts = { statuses: new Map(), buckets: bounds.map(() => 0), count: 0, seconds: 0 };
      this.#routes.set(route, counts);
    }
    return counts;
  }

  #requests(): readonly string[] {
    const routes = [...this.#routes].map(([route, counts]) => ({ place: placeOf(route), counts }));
    const total = "faraday_http_requests_total";
    const latency = "faraday_http_request_seconds";
    return [
      ...head(total, "counter", "Requests by route and status"),
      ...routes.flatMap(({ place, counts }) => statusLines(total, place, counts.statuses)),
      ...statusLines(total, 'method="",route=""', this.#unrouted),
      ...head(latency, "histogram", "Time from a request's headers to its answer, in seconds"),
      ...routes.flatMap(({ place, counts }) => histogramLines(latency, place, counts)),
    ];
  }

  #spans(): readonly string[] {
    return [
      ...head("faraday_spans_total", "counter", "Spans that came, by what became of them"),
      `faraday_spans_total{result="stored"} ${this.#spansStored}`,
      `faraday_spans_total{result="duplicate"} ${this.#spansDuplicate}`,
      `faraday_spans_total{result="rejected"} ${this.#spansRejected}`,
    ];
  }
}

function storeLines(statistics: StoreStatistics): readonly string[] {
  const { uptime, name: _, ...totals } = statistics;
  return [
    ...head("faraday_store_records", "gauge", "What is in the store"),
    ...Object.entries(totals).map(
      ([name, value]) => `faraday_store_records{kind="${name.replace("total_", "")}"} ${value}`,
    ),
    ...head("faraday_store_uptime_seconds", "gauge", "Seconds since the store was opened"),
    `faraday_store_uptime_seconds ${uptime}`,
    ...head("process_resident_memory_bytes", "gauge", "Memory of the server's process"),
    `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
  ];
}

function placeOf({ method, path }: Route): string {
  return `method="${method}",route="${path}"`;
}

function head(name: string, type: string, help: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function statusLines(name: string, place: string, statuses: ReadonlyMap<number, number>): readonly string[] {
  return [...statuses].map(([status, count]) => `${name}{${place},status="${status}"} ${count}`);
}

function histogramLines(name: string, place: string, { buckets, count, seconds }: RouteCounts): readonly string[] {
  let cumulative = 0;
  const lines = bounds.map((bound, index) => {
    cumulative += buckets[index] ?? 0;
    return `${name}_bucket{${place},le="${bound}"} ${cumulative}`;
  });
  return [
    ...lines,
    `${name}_bucket{${place},le="+Inf"} ${count}`,
    `${name}_sum{${place}} ${seconds}`,
    `${name}_count{${place}} ${count}`,
  ];
}
