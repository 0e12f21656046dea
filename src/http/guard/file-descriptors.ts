import { readFileSync, readdirSync } from 'node:fs'

/** File descriptors of a process. */
export interface FileDescriptors {
  /** The most that the process may open. */
  readonly limit: number
  /** The number that is open. */
  readonly open: number
}

export interface DescriptorNeeds {
  /** Connections that all upstreams may have together. */
  readonly connections: number
  /** Threads that may be started. */
  readonly threads: number
}

/** The descriptors that callers and upstreams get. */
export interface DescriptorAllocation {
  /** Connections of callers. */
  readonly inbound: number
  /** The factor by which the connections of each upstream are reduced; 1 reduces nothing. */
  readonly upstream: number
}

/** Descriptors reserved for files, name lookups and connections that are being refused. */
const spare = 16
/** Descriptors of one thread: its event loop and its channels. */
const perThread = 6

/** Reads the descriptors of this process. Returns undefined if the system has no limit or no /proc, as macOS. */
export function readFileDescriptors(): FileDescriptors | undefined {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return limit === undefined ? undefined : { limit: Number(limit), open: readdirSync('/proc/self/fd').length }
  } catch {
    return undefined
  }
}

/**
 * Allocates the free descriptors to callers and upstreams. Upstreams get one descriptor per connection, but at most
 * half of the free descriptors. Callers get the rest.
 */
export function allocateDescriptors(
  { limit, open }: FileDescriptors,
  { connections, threads }: DescriptorNeeds,
): DescriptorAllocation {
  const left = Math.max(2, limit - open - spare - threads * perThread)
  const upstream = Math.min(connections, Math.floor(left / 2))
  return { inbound: left - upstream, upstream: connections === 0 ? 1 : upstream / connections }
}
