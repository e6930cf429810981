import type { Driver, EnvironmentEpisode, Score } from "../../src/core/env.ts";
import { Random } from "../../src/core/random.ts";
import type { Syscall, SyscallResult } from "../../src/core/syscall.ts";
import { CartPole, type CartState } from "./cart-pole.ts";

/** A start is uniform in this much either way, in every coordinate. */
const startMax = 0.05;

export interface ControlOptions {
  /** Steps after which the episode ends. */
  readonly turnsMax: number;
  /** Whether a new pole is put up when one falls, as vector environments do, rather than the episode ended. */
  readonly restarts: boolean;
}

/** Balances one pole. The agent pushes with `cart.push { right: boolean }`, which answers where the cart is then, in metres. */
export class ControlEpisode implements EnvironmentEpisode {
  readonly drivers: Readonly<Record<string, Driver>>;
  readonly #cart: CartPole;
  readonly #random: Random;
  readonly #options: ControlOptions;
  readonly #shown: Shown;
  #turns = 0;
  #falls = 0;

  constructor(seed: number, options: ControlOptions) {
    this.#random = new Random(seed);
    this.#cart = new CartPole(this.#start());
    this.#options = options;
    this.#shown = new Shown(this.#cart);
    this.drivers = {
      cart: {
        operations: {
          push: ({ right }) => {
            if (typeof right !== "boolean") throw new TypeError("cart.push takes { right: true or false }");
            this.#cart.step(right);
            return this.#cart.position;
          },
        },
      },
    };
  }

  get observation(): string {
    return this.#shown.observation;
  }

  parse(action: string): Syscall | null {
    const way = action.trim();
    return way === "" ? null : { syscall: "cart.push", args: { right: way === "right" } };
  }

  step({ outcome }: SyscallResult): { readonly observation: string; readonly done: boolean } {
    if (outcome === "completed") this.#turns++;
    const fell = this.#cart.isOver;
    if (fell) this.#falls++;
    if (fell && this.#options.restarts) this.#cart.restart(this.#start());
    this.#shown.done = this.#turns >= this.#options.turnsMax || (fell && !this.#options.restarts);
    return this.#shown;
  }

  /** A reward of 1 for every step that was made; a success where no pole fell. */
  score(): Score {
    return { success: this.#turns >= this.#options.turnsMax && this.#falls === 0, reward: this.#turns };
  }

  #start(): CartState {
    const start = () => (2 * this.#random.next() - 1) * startMax;
    return [start(), start(), start(), start()];
  }
}

/** What the agent sees after a step. The text is made when it is asked for: many agents need none. */
class Shown {
  done = false;
  readonly #cart: CartPole;

  constructor(cart: CartPole) {
    this.#cart = cart;
  }

  get observation(): string {
    return this.#cart.state.map((value) => value.toFixed(4)).join(" ");
  }
}
