import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../../..')

/** The pages that users and contributors read. */
export const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name.replaceAll('\\', '/')}`)
    .toSorted(),
]

export const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')

/** A fenced block of code. */
export interface Block {
  readonly page: string
  /** The line of its opening fence, from 1. */
  readonly line: number
  readonly language: string
  /** The file that its fence names, as in "```ts plugin.ts". */
  readonly file: string | undefined
  readonly code: string
}

/** Returns every fenced block of a text. A fence may be indented, as in a list, and may have no language. */
export function blocksOf(page: string, text: string = textOf(page)): Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const [, indent = '', fence, info = ''] = /^(\s*)(`{3,}|~{3,})\s*(.*)$/.exec(lines[at] as string) ?? []
    if (fence === undefined) continue
    const [language = '', file] = info.split(' ')
    const body: string[] = []
    const line = at + 1
    while (++at < lines.length && (lines[at] as string).trim() !== fence)
      body.push((lines[at] as string).slice(indent.length))
    blocks.push({ page, line, language, file, code: `${body.join('\n')}\n` })
  }
  return blocks
}

/** Names a block in a failure. */
export const placeOf = ({ page, line, language }: Block): string => `${page}:${line} (${language || 'no language'})`
