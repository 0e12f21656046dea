import { hash } from 'node:crypto'

/**
 * When something was last changed at the upstream by calls of ours: what was asked for before that is not used (RFC
 * 9111, section 4.4).
 */
export interface Changes {
  /** An unsafe call to this path was answered. */
  note(path: string, now: number): void
  /** Whether what was asked for at that moment may have been changed since. */
  since(path: string, requestedAt: number): boolean
}

/** Longer paths are remembered by their hash: callers choose how long a path is. */
const longPath = 200

/** Remembers the last changes, so many; an answer from before those that it remembers counts as changed. */
export function createChanges(most = 10_000): Changes {
  const last = new Map<string, number>()
  let forgotten = -Infinity

  return {
    note(path, now) {
      const name = nameOf(path)
      last.delete(name)
      last.set(name, now)
      if (last.size <= most) return
      const [[oldest, at]] = last as unknown as [[string, number]]
      last.delete(oldest)
      forgotten = at
    },
    since: (path, requestedAt) =>
      requestedAt <= Math.max(forgotten, (last.size === 0 ? undefined : last.get(nameOf(path))) ?? -Infinity),
  }
}

function nameOf(path: string): string {
  return path.length > longPath ? hash('sha256', path, 'base64url') : path
}
