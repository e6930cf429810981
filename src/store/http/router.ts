import type { Route } from "./route.ts";

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

const none = {};

/** Finds the route of a request; a fixed path goes before one with a `{name}` in its place. */
export class Router {
  readonly #fixed = new Map<string, Map<string, Route>>();
  readonly #patterns: { readonly parts: readonly string[]; readonly routes: Map<string, Route> }[] = [];

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#methods(route.path).set(route.method, route);
  }

  /** `undefined` where the path is unknown; the methods that it has, where this one is not among them. */
  find(method: string, path: string): Match | readonly string[] | undefined {
    const fixed = this.#fixed.get(path);
    const route = fixed?.get(method);
    return route === undefined ? this.#findPattern(method, path, fixed) : { route, params: none };
  }

  #findPattern(method: string, path: string, fixed: Map<string, Route> | undefined) {
    const parts = path.split("/");
    const others = [...(fixed?.keys() ?? [])];
    for (const pattern of this.#patterns) {
      const params = paramsOf(pattern.parts, parts);
      if (params === undefined) continue;
      const route = pattern.routes.get(method);
      if (route !== undefined) return { route, params };
      others.push(...pattern.routes.keys());
    }
    return others.length === 0 ? undefined : [...new Set(others)];
  }

  #methods(path: string): Map<string, Route> {
    if (!path.includes("{")) return getOrSet(this.#fixed, path, () => new Map<string, Route>());
    const known = this.#patterns.find(({ parts }) => parts.join("/") === path);
    if (known !== undefined) return known.routes;
    const added = { parts: path.split("/"), routes: new Map<string, Route>() };
    this.#patterns.push(added);
    this.#patterns.sort((one, other) => variableCount(one.parts) - variableCount(other.parts));
    return added.routes;
  }
}

function getOrSet<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function variableCount(parts: readonly string[]): number {
  return parts.filter((part) => part.startsWith("{")).length;
}

function paramsOf(pattern: readonly string[], parts: readonly string[]): Match["params"] | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index] ?? "";
    if (expected.startsWith("{")) {
      const value = decoded(part);
      if (value === undefined || value === "") return undefined;
      params[expected.slice(1, -1)] = value;
    } else if (expected !== part) return undefined;
  }
  return params;
}

function decoded(part: string): string | undefined {
  if (!part.includes("%")) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
