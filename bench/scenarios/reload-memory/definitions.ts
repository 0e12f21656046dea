import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The file of the folder that is changed before each reload. */
export type ChangedFile = 'aggregate' | 'shared module'

/** A folder of definitions: for each upstream a file, and a file with an aggregate that calls it. */
export interface DefinitionsFolder {
  readonly url: URL
  /** Changes one file. `version` makes the text of the file unique. */
  change(file: ChangedFile, version: number): void
  remove(): void
}

const upstream = (index: number) => `
import { defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const item = z.object({ id: z.string(), name: z.string(), price: z.number(), tags: z.array(z.string()) })
export const shop${index} = defineUpstream('shop${index}', { origin: 'http://127.0.0.1:9' }, {
  one: operation({ path: '/one', output: item }),
  list: operation({ path: '/list', output: z.array(item), cache: true }),
})
`

const aggregate = (index: number, version: number) => `
import { aggregate } from 'headwaters'
import { z } from 'zod'
import { shared } from './shared.ts'
import { shop${index} } from './upstream${index}.ts'

const reply = z.object({ version: z.number(), shared: z.number(), name: z.string(), count: z.number() })
export const items${index}: unknown = aggregate('items${index}', { url: '/items${index}', query: z.object({ q: z.string() }) })
  .required('one', () => shop${index}.one())
  .required('list', () => shop${index}.list(), { needs: ['one'] })
  .reply(reply, ({ one, list }) => ({ version: ${version}, shared, name: one.name, count: list.length }))
`

/** Writes definitions of `files` files: half of them upstreams, half of them aggregates, which import one more module. */
export function writeDefinitions(files: number): DefinitionsFolder {
  const folder = mkdtempSync(join(tmpdir(), 'headwaters-reload-memory-'))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  const change = (file: ChangedFile, version: number) =>
    file === 'aggregate'
      ? write('aggregate0.ts', aggregate(0, version))
      : write('shared.ts', `export const shared = ${version}\n`)
  for (let index = 0; index < files / 2; index++) {
    write(`upstream${index}.ts`, upstream(index))
    write(`aggregate${index}.ts`, aggregate(index, 0))
  }
  change('shared module', 0)
  return { url: pathToFileURL(folder), change, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
