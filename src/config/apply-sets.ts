import { resolve } from "node:path";
import { messageOf } from "../core/errors.ts";
import { got, shortened } from "./expectation.ts";
import { parseValue } from "./read-source.ts";

type Container = Record<string, unknown> | unknown[];

/**
 * Puts `path=value` settings into a config, in order, and returns what was wrong with them. Objects that are absent are
 * made; a number is an index where there is a list, and one past the end appends. A value that begins with `./` or `../`
 * is relative to `cwd`, as a shell would have it.
 */
export function applySets(config: Record<string, unknown>, sets: readonly string[], cwd: string): readonly string[] {
  return sets.flatMap((set) => {
    const equals = set.indexOf("=");
    if (equals < 1) return [`--set must be path=value, got ${got(set)}`];
    try {
      setAt(config, set.slice(0, equals), anchored(parseValue(set.slice(equals + 1)), cwd));
      return [];
    } catch (error) {
      return [`--set ${shortened(set)}: ${messageOf(error)}`];
    }
  });
}

/**
 * Puts a value at a dotted path, making what is absent on the way.
 * @throws {Error} saying why it cannot be put there.
 */
export function setAt(config: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split(".");
  if (keys.some((key) => key === "" || key === "__proto__")) throw new Error(`${got(path)} is not a path`);
  let container: Container = config;
  for (const [index, key] of keys.entries()) {
    if (index === keys.length - 1) put(container, key, value);
    else container = enter(container, key, keys.slice(0, index + 1), keys[index + 1] === "0");
  }
}

function enter(container: Container, key: string, path: readonly string[], asList: boolean): Container {
  const present = Object.hasOwn(container, key) ? (container as Record<string, unknown>)[key] : undefined;
  if (present === undefined || present === null) {
    const made: Container = asList ? [] : {};
    put(container, key, made);
    return made;
  }
  if (typeof present !== "object") throw new Error(`${path.join(".")} is ${got(present)}, which has no parts`);
  return present as Container;
}

function put(container: Container, key: string, value: unknown): void {
  if (!Array.isArray(container)) {
    container[key] = value;
    return;
  }
  if (!/^\d+$/.test(key) || Number(key) > container.length) {
    throw new Error(`a list of ${container.length} has no place ${got(key)}; 0..${container.length} are possible`);
  }
  container[Number(key)] = value;
}

function anchored(value: unknown, cwd: string): unknown {
  if (typeof value === "string") return /^\.\.?[/\\]/.test(value) ? resolve(cwd, value) : value;
  if (Array.isArray(value)) return value.map((item) => anchored(item, cwd));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, anchored(item, cwd)]));
}
