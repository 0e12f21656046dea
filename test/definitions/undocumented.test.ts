import { join } from 'node:path'
import { test } from 'tap'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { runCommand, startService } from '../helpers/service-process.ts'

/** A definitions file with an aggregate whose reply has a type that JSON does not have, and one that takes a date. */
const odd = `
import { aggregate } from 'headwaters'
import { z } from 'zod'

export const odd = aggregate('odd', { url: '/odd' })
  .reply(z.object({ seen: z.map(z.string(), z.date()), tags: z.array(z.set(z.string())) }), () => ({}) as never)
export const dated = aggregate('dated', { url: '/dated', body: z.object({ at: z.date() }) })
  .reply(z.null(), () => null)
`

const faultsIn = (file: string) => [
  `${file}: aggregate 'dated', body, at /properties/at: 'date' cannot be written as JSON Schema: use z.iso.datetime()`,
  `${file}: aggregate 'odd', reply, at /properties/seen: 'map' cannot be written as JSON Schema: use z.record()`,
  `${file}: aggregate 'odd', reply, at /properties/tags/items: 'set' cannot be written as JSON Schema: use z.array()`,
]

test('definitions that cannot be documented are faults of every command: exit code 2, each with its place', async t => {
  const { path } = definitionsFolder(t, { 'odd.ts': odd, 'broken.ts': "throw new Error('no')" })
  for (const args of [
    ['serve', path],
    ['serve', path, '--workers', '2'],
    ['openapi', path],
    ['run', 'odd', path],
  ]) {
    const { code, output, errors } = await runCommand(t, args, { PORT: '0' })
    t.equal(code, 2, args.join(' '))
    t.equal(output, '')
    for (const fault of faultsIn(join(path, 'odd.ts'))) t.match(errors, fault)
    t.match(errors, 'broken.ts:1:7: throws when it is loaded: Error: no', 'with all other faults')
    t.notMatch(errors, /\n +at /, 'without a stack')
  }
})

test('schemas that clash in the document are faults too', async t => {
  const replying = (name: string, field: string) => `
import { aggregate } from 'headwaters'
import { z } from 'zod'

export const ${name} = aggregate('${name}', { url: '/${name}' })
  .reply(z.object({ ${field}: z.string() }).meta({ id: 'Cat' }), () => ({}) as never)
`
  const { path } = definitionsFolder(t, { 'a.ts': replying('a', 'name'), 'b.ts': replying('b', 'title') })
  const { code, errors } = await runCommand(t, ['openapi', path])
  t.equal(code, 2)
  t.match(errors, `${join(path, 'b.ts')}: aggregate 'b', reply: the id 'Cat' already belongs to another schema`)
})

test('a reload with such a schema is logged with its faults, and the definitions from before are served', async t => {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const { path, write } = definitionsFolder(t, { 'words.ts': words(upstream.origin) })
  const { origin, said } = await startService(t, {}, ['serve', path, '--watch'])
  write('odd.ts', odd)
  const { level, faults } = (await said('reload failed')) as unknown as { level: number; faults: readonly string[] }
  t.equal(level, 50)
  t.match(faults, faultsIn(join(path, 'odd.ts')))
  t.equal((await fetch(`${origin}/words`)).status, 200)
  t.equal((await fetch(`${origin}/openapi.json`)).status, 200)
  t.equal((await fetch(`${origin}/odd`)).status, 404)
})
