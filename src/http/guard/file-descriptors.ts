import { readFileSync, readdirSync } from 'node:fs'

/** File descriptors of a process. */
export interface FileDescriptors {
  /** The most that it may have. */
  readonly limit: number
  /** Those that are open. */
  readonly open: number
}

export interface DescriptorNeeds {
  /** Connections that all upstreams may have together. */
  readonly connections: number
  /** Threads that may be started. */
  readonly threads: number
}

/** The shares of connections in the descriptors of a process. */
export interface DescriptorAllocation {
  /** Connections of callers. */
  readonly inbound: number
  /** The factor by which the connections of each upstream are reduced; 1 reduces nothing. */
  readonly upstream: number
}

/** Descriptors for files, names that are looked up and connections that are being refused. */
const spare = 16
/** Descriptors of one thread: its event loop and its channels. */
const perThread = 6

/** Reads the descriptors of this process; `undefined` where the system does not say, as on macOS, or sets no limit. */
export function readFileDescriptors(): FileDescriptors | undefined {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return limit === undefined ? undefined : { limit: Number(limit), open: readdirSync('/proc/self/fd').length }
  } catch {
    return undefined
  }
}

/**
 * Divides the descriptors that are left between callers and upstreams. Upstreams get what they may open, and at most
 * half; callers get the rest.
 */
export function allocateDescriptors(
  { limit, open }: FileDescriptors,
  { connections, threads }: DescriptorNeeds,
): DescriptorAllocation {
  const left = Math.max(2, limit - open - spare - threads * perThread)
  const upstream = Math.min(connections, Math.floor(left / 2))
  return { inbound: left - upstream, upstream: connections === 0 ? 1 : upstream / connections }
}
