import type { Driver, EnvironmentEpisode, Score } from "../../src/core/env.ts";
import { Random } from "../../src/core/random.ts";
import type { Syscall, SyscallResult } from "../../src/core/syscall.ts";
import { CartPole } from "./cart-pole.ts";

/** A start is uniform in this much either way, in every coordinate. */
const startMax = 0.05;

/** Balances one pole. The agent pushes with `cart.push { right: boolean }`, which answers where the cart is then, in metres. */
export class ControlEpisode implements EnvironmentEpisode {
  readonly drivers: Readonly<Record<string, Driver>>;
  readonly #cart: CartPole;
  readonly #turnsMax: number;
  readonly #shown: Shown;
  #turns = 0;

  constructor(seed: number, turnsMax: number) {
    const random = new Random(seed);
    const start = () => (2 * random.next() - 1) * startMax;
    this.#cart = new CartPole([start(), start(), start(), start()]);
    this.#turnsMax = turnsMax;
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
    this.#shown.done = this.#turns >= this.#turnsMax || this.#cart.isOver;
    return this.#shown;
  }

  /** A reward of 1 for every step that was made; a success where the pole stood to the end. */
  score(): Score {
    return { success: this.#turns >= this.#turnsMax && !this.#cart.isOver, reward: this.#turns };
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
