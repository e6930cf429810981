/** The least that a task can do. */
export default function work(index: number): number {
  return index;
}
