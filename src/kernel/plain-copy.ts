import { messageOf } from "../core/errors.ts";

/** A value as plain data that nobody else holds, or what is wrong with it and where. */
export type PlainCopy = { readonly value: unknown; readonly fault?: string };

const depthMax = 32;
const valuesMax = 1_000_000;

/**
 * Copies plain data, reading every property once: what is judged, recorded and performed is the same, whatever the giver does
 * to its own afterwards. The copy is frozen. Plain are null, booleans, numbers, bigints, strings, byte arrays, arrays, and
 * objects without a class; anything else, a cycle, or a getter that throws is a fault, and a tag stands in its place.
 */
export function plainCopy(value: unknown): PlainCopy {
  if (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol") return { value };
  const copier = new Copier();
  const copy = copier.copy(value, 0);
  return copier.fault === undefined ? { value: copy } : { value: copy, fault: copier.described };
}

class Copier {
  /** What the first fault is, without where. */
  fault: string | undefined;
  #values = 0;
  #path = "";

  get described(): string {
    return `${this.#path === "" ? "it" : this.#path} is ${this.fault}`;
  }

  copy(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case "object":
        return value === null ? null : this.#copyObject(value, depth);
      case "function":
      case "symbol":
        return this.#bad(`a ${typeof value}`);
      default:
        return value;
    }
  }

  #copyObject(value: object, depth: number): unknown {
    if (depth >= depthMax) return this.#bad(`nested deeper than ${depthMax}`);
    try {
      if (Array.isArray(value)) return this.#copyArray(value, depth);
      const prototype = Object.getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) return this.#copyFields(value, depth);
      if (value instanceof Uint8Array) return Uint8Array.from(value);
      // The plain objects of another realm have a prototype without one, too.
      if (Object.getPrototypeOf(prototype) === null) return this.#copyFields(value, depth);
      return this.#bad(`a ${String(prototype.constructor?.name || "class")}`);
    } catch (error) {
      return this.#bad(`unreadable: ${messageOf(error)}`);
    }
  }

  #copyFields(value: object, depth: number): unknown {
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      if (!this.#counts()) return tagged;
      const field = (value as Record<string, unknown>)[key];
      const own = typeof field === "string" ? field : this.#within(key, field, depth);
      if (key === "__proto__") Object.defineProperty(copy, key, { value: own, enumerable: true });
      else copy[key] = own;
    }
    return Object.freeze(copy);
  }

  #copyArray(value: readonly unknown[], depth: number): unknown {
    const copy: unknown[] = [];
    const { length } = value;
    for (let index = 0; index < length; index++) {
      if (!this.#counts()) return tagged;
      copy.push(this.#within(index, value[index], depth));
    }
    return Object.freeze(copy);
  }

  #within(key: PropertyKey, value: unknown, depth: number): unknown {
    if (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol") return value;
    const before = this.fault;
    const copy = this.copy(value, depth + 1);
    if (before !== this.fault) this.#path = this.#path === "" ? String(key) : `${String(key)}.${this.#path}`;
    return copy;
  }

  #counts(): boolean {
    if (++this.#values <= valuesMax) return true;
    this.#bad(`more than ${valuesMax} values`);
    return false;
  }

  #bad(what: string): unknown {
    this.fault ??= what;
    return tagged;
  }
}

const tagged = Object.freeze({ $unreadable: true });
