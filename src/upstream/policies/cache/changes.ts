import { hash } from 'node:crypto'

/** The last changes of URIs, each at a moment: a time, or any number that grows. */
export interface Changes {
  /** Records that what a URI names was changed at a moment. */
  note(uri: string, at: number): void
  /** Removes the record of a change, unless the URI was changed again since. */
  remove(uri: string, at: number): void
  /** Returns whether what was requested at a moment may have been changed at that moment or since; true for NaN. */
  since(uri: string, requestedAt: number): boolean
}

/** Longer URIs are remembered by their hash, because callers choose how long a path is. */
const longUri = 200

/** Remembers the last changes, `max` at most. What was requested before those that are forgotten counts as changed. */
export function createChanges(max = 10_000): Changes {
  const last = new Map<string, number>()
  let forgotten = -Infinity

  return {
    note(uri, at) {
      const name = shortName(uri)
      last.delete(name)
      last.set(name, at)
      if (last.size <= max) return
      const [[oldest, oldestAt]] = last as unknown as [[string, number]]
      last.delete(oldest)
      forgotten = oldestAt
    },
    remove(uri, at) {
      const name = shortName(uri)
      if (last.get(name) === at) last.delete(name)
    },
    since: (uri, requestedAt) =>
      !(requestedAt > forgotten) || (last.size > 0 && requestedAt <= (last.get(shortName(uri)) ?? -Infinity)),
  }
}

/** Returns a URI, or its hash where the URI is long. */
export function shortName(uri: string): string {
  return uri.length > longUri ? hash('sha256', uri, 'base64url') : uri
}
