/** The facts about a server that the probe needs. */
export interface ServerInfo {
  /** The id of its replication history: new at each start and each promotion of a server, and equal on no two primaries. */
  readonly replicationId: string
  readonly isPrimary: boolean
}

/** Returns the facts of a reply to INFO, or `undefined` if it has no replication id. */
export function readServerInfo(reply: unknown): ServerInfo | undefined {
  if (typeof reply !== 'string') return undefined
  const fields = new Map<string, string>()
  for (const line of reply.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1))
  }
  const replicationId = fields.get('master_replid')
  if (replicationId === undefined || replicationId === '') return undefined
  return { replicationId, isPrimary: fields.get('role') === 'master' }
}
