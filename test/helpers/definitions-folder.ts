import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'

/** A folder outside of this checkout, where nothing is installed. */
export function definitionsFolder(
  t: Test,
  files: Readonly<Record<string, string>>,
): { readonly path: string; readonly write: (name: string, text: string) => void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'headwaters-definitions-')))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  function write(name: string, text: string): void {
    const file = join(path, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  for (const [name, text] of Object.entries(files)) write(name, text)
  return { path, write }
}

export interface WordsOptions {
  readonly name?: string
  readonly url?: string
  /** What the upstream answers stands before it. */
  readonly before?: string
}

/** A definitions file: one upstream, not exported, and an aggregate that asks it for a word. */
export function words(origin: string, { name = 'words', url = `/${name}`, before = '' }: WordsOptions = {}): string {
  return `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const source = defineUpstream('word-source', { origin: '${origin}' }, {
  word: operation({ path: '/word', query: z.object({ of: z.string().optional() }), output: z.object({ word: z.string() }) }),
})

export const words: unknown = aggregate('${name}', {
  url: '${url}', query: z.object({ of: z.string().optional().describe('What of.') }), deadline: 5000,
})
  .required('word', ({ query }) => source.word(query))
  .reply(z.object({ word: z.string() }), ({ word }) => ({ word: '${before}' + word.word }))
`
}
