/** Id of an attempt at an episode: the episode's own name for the first, `name~2` for the second, … */
export function attemptId(id: string, attempt: number): string {
  return attempt === 1 ? episodeName(id) : `${episodeName(id)}~${attempt}`;
}

/** The name that all attempts at an episode share. */
export function episodeName(id: string): string {
  const mark = id.lastIndexOf("~");
  return mark < 0 ? id : id.slice(0, mark);
}
