import { join } from 'node:path'
import { test, type Test } from 'tap'
import { DefinitionsError } from '../../src/definitions/definitions-error.ts'
import { createLoader } from '../../src/definitions/loader.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { failure } from '../helpers/failure.ts'
import { startService } from '../helpers/service-process.ts'

/** A definitions file whose merge is a function of another. */
const shout = (name = 'shout', file = './merge.ts') => `
import { aggregate, offload } from 'headwaters'
import { z } from 'zod'

const merge: any = offload(new URL('${file}', import.meta.url), '${name}')
export const words = aggregate('words', { url: '/words', query: z.object({ of: z.string() }), deadline: 30_000 })
  .reply(z.object({ word: z.string() }), merge)
`
/** The other: it needs what only definitions get, in a thread too. */
const merge = `
import { refuse } from 'headwaters'
import { z } from 'zod'
import { mark } from './mark'

const Of = z.object({ of: z.string() })
export function shout ({ query }: { query: unknown }): { word: string } {
  const { of } = Of.parse(query)
  if (of === 'nothing') refuse(404, 'Of nothing there is no word.')
  return { word: of.toUpperCase() + mark }
}
`
const mark = (text: string) => `export const mark: string = '${text}'`

async function faultsOf(
  t: Test,
  files: Readonly<Record<string, string>>,
): Promise<{ readonly path: string; readonly faults: string[] }> {
  const { path } = definitionsFolder(t, files)
  const loader = createLoader([join(path, 'words.ts')])
  t.teardown(loader.close)
  const error = await failure(loader.load())
  if (!(error instanceof DefinitionsError)) throw error
  return { path, faults: error.message.split('\n') }
}

test('offloaded functions of definitions are loaded in threads as definitions are, and again when one of their files changes', async t => {
  const { path, write } = definitionsFolder(t, {
    'package.json': '{ "type": "commonjs" }',
    'words.ts': shout(),
    'merge.ts': merge,
    'mark.ts': mark('!'),
  })
  const { origin, said, stop, ended } = await startService(t, { OFFLOAD_THREADS: '1', LOG_LEVEL: 'info' }, [
    'serve',
    path,
    '--watch',
  ])
  const ask = async (of: string) =>
    (await fetch(`${origin}/words?of=${of}`)).json() as Promise<{
      readonly data?: { readonly word: string }
      readonly detail?: string
      readonly status?: number
    }>
  t.match(await ask('cat'), { data: { word: 'CAT!' } })
  t.match(await ask('nothing'), { status: 404, detail: 'Of nothing there is no word.' })

  write('mark.ts', mark('?'))
  await said('definitions reloaded')
  t.match(await ask('cat'), { data: { word: 'CAT?' } })

  write('merge.ts', merge.replace('function shout', 'function whisper'))
  const { faults } = await said('reload failed')
  t.match(faults, [/merge\.ts: offload: .*merge\.ts exports no function 'shout'; it exports whisper$/])
  t.match(await ask('cat'), { data: { word: 'CAT?' } }, 'those from before are still served')

  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null }, 'threads do not hold the process')
})

test('an offloaded function or file that does not exist fails the start, before anything is served', async t => {
  const named = await faultsOf(t, { 'words.ts': shout('shuot'), 'merge.ts': merge, 'mark.ts': mark('!') })
  t.same(named.faults, [
    `${join(named.path, 'merge.ts')}: offload: ${join(named.path, 'merge.ts')} exports no function 'shuot'; it exports shout`,
  ])
  const none = await faultsOf(t, { 'words.ts': shout('shout', './merg.ts') })
  t.match(none.faults, [
    `words.ts:5:20: throws when it is loaded: TypeError: offload 'shout': the file ` +
      `${join(none.path, 'merg.ts')} does not exist: give its URL relative to this module`,
  ])
  const broken = await faultsOf(t, {
    'words.ts': shout(),
    'merge.ts': 'export const shout = () => {',
    'mark.ts': mark('!'),
  })
  t.match(broken.faults, [/merge\.ts.*cannot be loaded/])
})
