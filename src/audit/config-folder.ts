import { homedir } from "node:os";
import { join } from "node:path";

/** Where the user's own files are: what is secret, or must outlive a store. */
export interface UserPlace {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform;
  readonly home?: string;
}

/** `$XDG_CONFIG_HOME/faraday` where that is absolute; else `%APPDATA%\faraday` on Windows, `~/.config/faraday` elsewhere. */
export function configFolder(place: UserPlace = {}): string {
  const { environment = process.env, platform = process.platform, home = homedir() } = place;
  const { XDG_CONFIG_HOME: xdg, APPDATA: appData } = environment;
  // The XDG base directory specification has relative paths ignored.
  if (xdg?.startsWith("/") || (xdg && platform === "win32")) return join(xdg, "faraday");
  if (platform === "win32" && appData) return join(appData, "faraday");
  return join(home, ".config", "faraday");
}
