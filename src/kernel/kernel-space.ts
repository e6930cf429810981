import type { AgentSignal } from "../core/audit.ts";
import type { Driver } from "../core/env.ts";
import type { EpisodeKey } from "../core/episode.ts";
import { FaradayError, InputError } from "../core/errors.ts";
import { SqlDatabase } from "./drivers/sql/sql-database.ts";
import { FlightRecorder } from "./flight-recorder.ts";
import { type DriverSpecs, driverSpecs, sqlDriverSpec } from "./kernel-options.ts";
import { KernelSession } from "./kernel-session.ts";
import { parseOptions } from "./parse-options.ts";
import { createPolicy, type PolicySpec, policySpec } from "./policies/policy-spec.ts";
import type { Policy } from "./policy.ts";
import { policySetHash } from "./policy-set-hash.ts";

/** What a kernel is made of, as plain data: another thread makes the same kernel with `new KernelSpace(spec)`. */
export interface KernelSpec {
  readonly drivers: DriverSpecs;
  readonly policies: readonly PolicySpec[];
}

export interface KernelSpaceOptions {
  readonly drivers?: DriverSpecs;
  readonly policies?: readonly (PolicySpec | Policy)[];
  /** A single policy, put before `policies`. */
  readonly policy?: PolicySpec | Policy;
}

export interface BootOptions {
  /** Worker that the kernel runs in, from 1; 0 is the main thread. */
  readonly worker?: number;
  /** Counts the restarts of that worker, from 0. */
  readonly epoch?: number;
  /** Options of drivers that the kernel was given none for (see `Environment.driverDefaults`). */
  readonly driverDefaults?: Readonly<Record<string, unknown>>;
}

export interface SessionOptions {
  readonly episode: EpisodeKey;
  /** Drivers of this session alone, by name. */
  readonly drivers?: Readonly<Record<string, Driver>>;
  /** `false` runs the same drivers with nothing judged: the measurement without a kernel. Default `true`. */
  readonly governed?: boolean;
}

/**
 * The governance kernel of one thread: drivers, policies and a flight recorder. Making one is cheap; `boot` loads what
 * is expensive. Any number of sessions may be open at once, each on a database state of its own.
 */
export class KernelSpace implements Disposable {
  readonly spec: KernelSpec;
  readonly policies: readonly Policy[];
  /** Hash of the set of policies; every record of a governed episode carries it. */
  readonly policySetHash: string;
  #recorder = new FlightRecorder({ worker: 0, epoch: 0 });
  #database: SqlDatabase | undefined;
  #booted: Promise<void> | undefined;
  #ready = false;
  readonly #sessions = new Map<string, Set<KernelSession>>();

  constructor(options: KernelSpaceOptions = {}) {
    const drivers = parseOptions(driverSpecs, options.drivers ?? {}, "kernel.drivers");
    const given = options.policy === undefined ? [] : [options.policy];
    this.policies = Object.freeze([...given, ...(options.policies ?? [])].map(policyOf));
    const policies = this.policies.map((policy) => policy.spec as PolicySpec);
    this.spec = Object.freeze({ drivers, policies: Object.freeze(policies) });
    this.policySetHash = policySetHash(policies);
  }

  /**
   * Loads the drivers, once: later calls change nothing.
   * @throws {InputError} when a database cannot be read or used.
   */
  boot(options: BootOptions = {}): Promise<void> {
    this.#booted ??= this.#load(options);
    return this.#booted;
  }

  get recorder(): FlightRecorder {
    return this.#recorder;
  }

  open(options: SessionOptions): KernelSession {
    if (!this.#ready) throw new FaradayError("KernelSpace.open: boot() must have resolved first");
    const governed = options.governed ?? true;
    const { id } = options.episode;
    const open = this.#sessions.get(id) ?? new Set();
    this.#sessions.set(id, open);
    const session: KernelSession = new KernelSession({
      episode: options.episode,
      governed,
      judges: governed ? this.policies.map((policy) => policy.judge()) : [],
      sql: this.#database?.open({ seed: options.episode.seed }),
      drivers: options.drivers ?? {},
      recorder: this.#recorder,
      policies: governed ? this.policySetHash : ungoverned,
      closed: () => {
        open.delete(session);
        if (open.size === 0) this.#sessions.delete(id);
      },
    });
    open.add(session);
    return session;
  }

  /**
   * Sends a signal to an episode of this kernel (see {@link KernelSession.signal}).
   * @returns Whether the episode was under way, so that it was delivered.
   */
  signal(episode: string, signal: AgentSignal): boolean {
    const open = [...(this.#sessions.get(episode) ?? [])];
    return open.map((session) => session.signal(signal)).includes(true);
  }

  [Symbol.dispose](): void {
    this.#database?.[Symbol.dispose]();
    this.#database = undefined;
    this.#ready = false;
  }

  async #load(options: BootOptions): Promise<void> {
    this.#recorder = new FlightRecorder({ worker: options.worker ?? 0, epoch: options.epoch ?? 0 });
    const spec = this.spec.drivers.sql ?? defaultSql(options.driverDefaults);
    if (spec !== undefined) this.#database = await SqlDatabase.load(spec);
    this.#ready = true;
  }
}

const ungoverned = policySetHash([]);

function policyOf(given: PolicySpec | Policy): Policy {
  if ("judge" in given) return given;
  return createPolicy(parseOptions(policySpec, given, "kernel.policies"));
}

function defaultSql(defaults: BootOptions["driverDefaults"]) {
  if (defaults === undefined) return undefined;
  const unknown = Object.keys(defaults).find((name) => name !== "sql");
  if (unknown !== undefined) throw new InputError(`driverDefaults: the kernel has no driver ${unknown}, expected sql`);
  return defaults.sql === undefined ? undefined : parseOptions(sqlDriverSpec, defaults.sql, "driverDefaults.sql");
}
