import { readFile } from 'node:fs/promises'

/** Reads a table of phases in docs/design.md: each phase, with those that may follow it. */
export async function documentedPhases(heading: string): Promise<[string, string[]][]> {
  const page = await readFile(new URL('../../docs/design.md', import.meta.url), 'utf8')
  const section = page.slice(page.indexOf(`### ${heading}`)).split('\n## ')[0] as string
  return Array.from(section.matchAll(/^\| `(\w+)` \| [^|]+ \| (.*) \|$/gm), ([, phase = '', next = '']) => [
    phase,
    Array.from(next.matchAll(/`(\w+)`/g), ([, name = '']) => name),
  ])
}
