import { readFileSync } from 'node:fs'

/** The programs of a page of the docs: the blocks whose fence names a file, as in "```ts plugin.ts". */
export function docBlocks(page: string): Record<string, string> {
  const text = readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8')
  return Object.fromEntries(
    Array.from(text.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm), ([, name = '', code = '']) => [name, code]),
  )
}
