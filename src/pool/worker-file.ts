/** Worker entry files by name. The one place that knows where they lie, in source and in the compiled package. */
export function workerFile(name: "rollout" | "cloning" | "store" | "bare" | "process"): URL {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`../../workers/${name}.${extension}`, import.meta.url);
}
