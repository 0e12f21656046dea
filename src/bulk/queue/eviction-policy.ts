const field = 'maxmemory_policy:'

/** Returns the fault of a server that may evict jobs; `undefined` if it evicts nothing. */
export function evictionFault(memoryInfo: string): string | undefined {
  const policy = memoryInfo
    .split('\n')
    .find(line => line.startsWith(field))
    ?.slice(field.length)
    .trim()
  // A compatible server without this field has no policy.
  if (policy === undefined || policy === 'noeviction') return undefined
  return (
    `the maxmemory-policy of the server is ${policy}, so it can evict jobs and their locks: ` +
    'set maxmemory-policy to noeviction, or use another server'
  )
}
