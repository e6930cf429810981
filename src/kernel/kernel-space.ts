import type { AgentSignal } from "../core/audit.ts";
import type { Driver } from "../core/env.ts";
import type { EpisodeKey } from "../core/episode.ts";
import { FaradayError, InputError } from "../core/errors.ts";
import { SqlDatabase } from "./drivers/sql/sql-database.ts";
import { FlightRecorder } from "./flight-recorder.ts";
import {
  type DriverSpecs,
  driverSpecs,
  type ResolverSpec,
  resolverSpec,
  type SignalSpecs,
  signalSpecs,
  sqlDriverSpec,
} from "./kernel-options.ts";
import { KernelSession } from "./kernel-session.ts";
import { parseOptions } from "./parse-options.ts";
import { checkedJudge } from "./policies/custom-policy.ts";
import { createPolicy, type PolicySpec, policySpec, shippedPolicies } from "./policies/policy-spec.ts";
import type { Policy } from "./policy.ts";
import { policySetHash } from "./policy-set-hash.ts";
import type { Resolver } from "./resolver.ts";
import { seatsOf } from "./seats.ts";
import { UserModule } from "./user-module.ts";

/** What a kernel is made of, as plain data: another thread makes the same kernel with `new KernelSpace(spec)`. */
export interface KernelSpec {
  readonly drivers: DriverSpecs;
  readonly policies: readonly PolicySpec[];
  readonly resolver?: ResolverSpec | undefined;
  readonly signals?: SignalSpecs;
}

export interface KernelSpaceOptions {
  readonly drivers?: DriverSpecs;
  readonly policies?: readonly (PolicySpec | Policy)[];
  /** A single policy, put before `policies`. */
  readonly policy?: PolicySpec | Policy;
  /** Decides what policies escalate. A function cannot cross to another thread: there, name a module. */
  readonly resolver?: ResolverSpec | Resolver | undefined;
  /** What is sent to an episode in which a violation of that severity was blocked. */
  readonly signals?: SignalSpecs;
}

export interface BootOptions {
  /** Worker that the kernel runs in, from 1; 0 is the main thread. */
  readonly worker?: number;
  /** Counts the restarts of that worker, from 0. */
  readonly epoch?: number;
  /** Says when records are made, in milliseconds since 1970, for those who want to know (see {@link FlightRecorder}). */
  readonly clock?: () => number;
  /** Whether calls in a row are recorded together (see {@link FlightRecorder}). */
  readonly together?: boolean;
  /** Options of drivers that the kernel was given none for (see `Environment.driverDefaults`). */
  readonly driverDefaults?: Readonly<Record<string, unknown>>;
}

export interface SessionOptions {
  readonly episode: EpisodeKey;
  /** Drivers of this session alone, by name. */
  readonly drivers?: Readonly<Record<string, Driver>>;
  /** `false` runs the same drivers with nothing judged: the measurement without a kernel. Default `true`. */
  readonly governed?: boolean;
  /** `false` records nothing of it, to measure what recording costs. Default `true`. */
  readonly recorded?: boolean;
  /** Told the name of every syscall before it is judged and performed. */
  readonly onSyscall?: (name: string) => void;
}

/**
 * The governance kernel of one thread: drivers, policies and a flight recorder. Making one is cheap; `boot` loads what
 * is expensive. Any number of sessions may be open at once, each on a database state of its own.
 */
export class KernelSpace implements Disposable {
  readonly policies: readonly Policy[];
  /** Hash of the set of policies; every record of a governed episode carries it. */
  readonly policySetHash: string;
  readonly #spec: KernelSpec;
  readonly #resolverModule: UserModule | null;
  #resolver: Resolver | undefined;
  #recorder = new FlightRecorder({ worker: 0, epoch: 0 });
  #database: SqlDatabase | undefined;
  #booted: Promise<void> | undefined;
  #ready = false;
  /** Those that are open, by episode. */
  readonly #sessions = new Map<string, readonly KernelSession[]>();

  constructor(options: KernelSpaceOptions = {}) {
    const drivers = parseOptions(driverSpecs, options.drivers ?? {}, "kernel.drivers");
    const given = options.policy === undefined ? [] : [options.policy];
    this.policies = Object.freeze([...given, ...(options.policies ?? [])].map(policyOf));
    const policies = this.policies.map((policy) => policy.spec as PolicySpec);
    const { resolver } = options;
    const isModule = resolver !== undefined && typeof resolver !== "function";
    this.#resolverModule = isModule
      ? new UserModule(parseOptions(resolverSpec, resolver, "kernel.resolver").module, "kernel.resolver.module")
      : null;
    this.#resolver = typeof resolver === "function" ? resolver : undefined;
    const signals = parseOptions(signalSpecs, options.signals ?? {}, "kernel.signals");
    this.#spec = Object.freeze({
      drivers,
      policies: Object.freeze(policies),
      signals,
      ...(this.#resolverModule === null ? {} : { resolver: { module: this.#resolverModule.file } }),
    });
    this.policySetHash = policySetHash(this.policies, {
      resolver: this.#resolverModule ?? this.#resolver ?? null,
      signals,
    });
  }

  /**
   * Plain data from which another thread makes the same kernel.
   * @throws {InputError} where the resolver is a function, which no other thread can have.
   */
  get spec(): KernelSpec {
    if (this.#resolverModule === null && this.#resolver !== undefined)
      throw new InputError(
        "KernelSpace: a resolver that is a function cannot cross to a worker; give { module: file }",
      );
    return this.#spec;
  }

  /**
   * Loads the drivers, once: later calls change nothing.
   * @throws {InputError} when a database cannot be read or used.
   */
  boot(options: BootOptions = {}): Promise<void> {
    this.#booted ??= this.#load(options);
    return this.#booted;
  }

  /** Whether it has drivers besides those that an environment mounts. */
  get hasDrivers(): boolean {
    return this.#database !== undefined;
  }

  get recorder(): FlightRecorder {
    return this.#recorder;
  }

  open(options: SessionOptions): KernelSession {
    if (!this.#ready) throw new FaradayError("KernelSpace.open: boot() must have resolved first");
    const governed = options.governed ?? true;
    const { id } = options.episode;
    const session: KernelSession = new KernelSession({
      episode: options.episode,
      governed,
      seats: governed ? seatsOf(this.policies) : [],
      resolver: this.#resolver,
      signals: this.#spec.signals ?? {},
      sql: this.#database?.open({ seed: options.episode.seed }),
      drivers: options.drivers ?? {},
      onSyscall: options.onSyscall ?? null,
      recorder: this.#recorder,
      recorded: options.recorded ?? true,
      policies: governed ? this.policySetHash : ungoverned,
      closed: () => this.#closed(id, session),
    });
    this.#sessions.set(id, [...(this.#sessions.get(id) ?? []), session]);
    return session;
  }

  #closed(id: string, session: KernelSession): void {
    const others = (this.#sessions.get(id) ?? []).filter((other) => other !== session);
    if (others.length === 0) this.#sessions.delete(id);
    else this.#sessions.set(id, others);
  }

  /**
   * Sends a signal to an episode of this kernel (see {@link KernelSession.signal}).
   * @returns Whether the episode was under way, so that it was delivered.
   */
  signal(episode: string, signal: AgentSignal): boolean {
    const open = this.#sessions.get(episode) ?? [];
    return open.map((session) => session.signal(signal)).includes(true);
  }

  [Symbol.dispose](): void {
    this.#database?.[Symbol.dispose]();
    this.#database = undefined;
    this.#ready = false;
  }

  async #load(options: BootOptions): Promise<void> {
    const { worker = 0, epoch = 0, clock, together = false } = options;
    this.#recorder = new FlightRecorder({ worker, epoch }, { together, ...(clock === undefined ? {} : { clock }) });
    const spec = this.#spec.drivers.sql ?? defaultSql(options.driverDefaults);
    for (const policy of this.policies) if (policy.spec.mode !== "off") await policy.load?.();
    if (this.#resolverModule !== null) this.#resolver = (await this.#resolverModule.load()) as Resolver;
    if (spec !== undefined) this.#database = await SqlDatabase.load(spec);
    this.#ready = true;
  }
}

const ungoverned = policySetHash([]);

function policyOf(given: PolicySpec | Policy): Policy {
  if ("judge" in given) return shippedPolicies.some((shipped) => given instanceof shipped) ? given : checked(given);
  return createPolicy(parseOptions(policySpec, given, "kernel.policies"));
}

/** A policy of the user's own class: its judges are checked as a module's are. */
function checked(given: Policy): Policy {
  const load = given.load?.bind(given);
  const { name, spec, identity = spec } = given;
  const judge = () => checkedJudge(() => given.judge());
  return Object.freeze({ name, spec, identity, judge, ...(load === undefined ? {} : { load }) });
}

function defaultSql(defaults: BootOptions["driverDefaults"]) {
  if (defaults === undefined) return undefined;
  const unknown = Object.keys(defaults).find((name) => name !== "sql");
  if (unknown !== undefined) throw new InputError(`driverDefaults: the kernel has no driver ${unknown}, expected sql`);
  return defaults.sql === undefined ? undefined : parseOptions(sqlDriverSpec, defaults.sql, "driverDefaults.sql");
}
