import type { FastifyReply } from 'fastify'

/** Adds header names to a reply's `vary`, each once. */
export function addVary(reply: FastifyReply, names: string): void {
  const before = reply.getHeader('vary')
  reply.header('vary', before === undefined ? names : merged(String(before), names))
}

function merged(before: string, names: string): string {
  const known = new Set<string>()
  const all = `${before}, ${names}`
    .split(',')
    .map(name => name.trim())
    .filter(name => {
      const lower = name.toLowerCase()
      return name !== '' && !known.has(lower) && known.add(lower)
    })
  return known.has('*') ? '*' : all.join(', ')
}
