import { hash } from 'node:crypto'

/** The last changes of URIs. The moment of a change is a time, or any number that increases. */
export interface Changes {
  /** Records that the resource of a URI was changed at a moment. */
  note(uri: string, at: number): void
  /** Removes the record of a change, unless the URI was changed again after it. */
  remove(uri: string, at: number): void
  /** Returns whether a URI may have been changed at or after the moment of a request; true for NaN. */
  since(uri: string, requestedAt: number): boolean
}

/** Longer URIs are stored as a hash, because callers choose the length of a path. */
const longUri = 200

/** Stores the last `max` changes. A request before the last dropped change counts as changed. */
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

/** Returns a URI, or its hash if the URI is long. */
export function shortName(uri: string): string {
  return uri.length > longUri ? hash('sha256', uri, 'base64url') : uri
}
