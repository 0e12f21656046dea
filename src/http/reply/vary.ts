import type { ReplySink } from './reply-sink.ts'

/** Adds header names to a reply's `vary`, each once. */
export function addVary(sink: ReplySink, names: string): void {
  const before = sink.getHeader('vary')
  sink.header('vary', before === undefined ? names : merged(String(before), names))
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
