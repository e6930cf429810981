/** Id of an attempt at an episode: the episode's own name for the first, `name~2` for the second, … */
export function attemptId(id: string, attempt: number): string {
  return attempt === 1 ? episodeName(id) : `${episodeName(id)}~${attempt}`;
}

/** Which attempt an id is of, from 1. */
export function attemptOf(id: string): number {
  const mark = id.lastIndexOf("~");
  return mark < 0 ? 1 : Number(id.slice(mark + 1));
}

/** The name that all attempts at an episode share. */
export function episodeName(id: string): string {
  const mark = id.lastIndexOf("~");
  return mark < 0 ? id : id.slice(0, mark);
}
