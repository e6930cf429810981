/*
 * Read by whatever Node there is, before anything else is loaded: nothing here may need a new one.
 */

const needed = { major: 24, minor: 11 };

/** What to tell someone whose Node is too old, in one line; `null` where it is new enough. */
export function nodeVersionProblem(version: string): string | null {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > needed.major || (major === needed.major && minor >= needed.minor)) return null;
  const get = "install it from https://nodejs.org, or run `npm install node@26` here and start faraday with npx";
  return `faraday needs Node >= ${needed.major}.${needed.minor}, this is v${version}; ${get}`;
}
