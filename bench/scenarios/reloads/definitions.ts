import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A folder of definitions whose aggregate replies with the version of the definitions. */
export interface DefinitionsFolder {
  readonly url: URL
  /** Writes a change of the definitions. The module of the upstream does not change. */
  write(version: number): void
  remove(): void
}

const upstream = (origin: string) => `
import { defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

export const leaves = defineUpstream('leaves', { origin: '${origin}' }, {
  leaf: operation({ path: '/', output: z.object({}) }),
})
`

const aggregates = `
import { aggregate } from 'headwaters'
import { z } from 'zod'
import { leaves } from './upstream.ts'
import { version } from './version.ts'

export const leaf = aggregate('leaf', { url: '/leaf', deadline: 5000, envelope: false })
  .required('leaf', () => leaves.leaf())
  .reply(z.object({ version: z.number() }), () => ({ version }))
`

/** Writes definitions that call an upstream. Their version is 0. */
export function writeDefinitions(origin: string): DefinitionsFolder {
  const folder = mkdtempSync(join(tmpdir(), 'headwaters-reloads-'))
  const write = (version: number) => {
    writeFileSync(join(folder, 'version.ts'), `export const version = ${version}\n`)
  }
  writeFileSync(join(folder, 'upstream.ts'), upstream(origin))
  writeFileSync(join(folder, 'aggregates.ts'), aggregates)
  write(0)
  return {
    url: pathToFileURL(folder),
    write,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
