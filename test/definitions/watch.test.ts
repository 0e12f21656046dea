import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'tap'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { selfSigned } from '../helpers/self-signed.ts'
import { startService } from '../helpers/service-process.ts'
import { until } from '../helpers/until.ts'

interface Reply {
  readonly data?: { readonly word: string }
}

const wordAt = async (url: string) => ((await (await fetch(url)).json()) as Reply).data?.word

test('changes are served without a restart, and of the requests meanwhile none is lost', async t => {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const { path, write } = definitionsFolder(t, { 'words.ts': words(upstream.origin, { before: '0 ' }) })
  const { origin } = await startService(t, {}, ['serve', path, '--watch'])
  const url = `${origin}/words`

  const agents = { kept: new Agent({ keepAlive: true, maxSockets: 4 }), fresh: new Agent({ keepAlive: false }) }
  t.teardown(() => agents.kept.destroy())
  const lost: unknown[] = []
  const seen = new Set<string>()
  let asked = 0
  let over = false
  async function loop(agent: Agent): Promise<void> {
    for (; !over; asked++) {
      try {
        const [response] = await once(get(url, { agent }), 'response')
        const body = await text(response)
        if (response.statusCode === 200) seen.add((JSON.parse(body) as Required<Reply>).data.word)
        else lost.push(body)
      } catch (error) {
        lost.push(error)
      }
    }
  }
  const loops = [loop(agents.kept), loop(agents.kept), loop(agents.fresh)]

  for (let version = 1; version <= 6; version++) {
    write('words.ts', words(upstream.origin, { before: `${version} ` }))
    await until(async () => (await wordAt(url)) === `${version} cat`)
  }
  over = true
  await Promise.all(loops)
  t.same(lost, [])
  t.ok(asked > 20, `${asked} were asked`)
  t.same(
    [...seen].filter(word => !/^[0-6] cat$/.test(word)),
    [],
  )
})

test('a request under way ends with the definitions it began with, and its upstream is not cut', async t => {
  const answers: (() => void)[] = []
  const upstream = await rawUpstream(t, (socket, request) => {
    if (request.path.includes('held')) answers.push(() => socket.write(json({ word: 'held' })))
    else socket.write(json({ word: 'cat' }))
  })
  const { path, write } = definitionsFolder(t, { 'words.ts': words(upstream.origin, { before: 'old ' }) })
  const { origin } = await startService(t, {}, ['serve', path, '--watch'])
  const held = wordAt(`${origin}/words?of=held`)
  await upstream.asked(1)

  write('words.ts', words(upstream.origin, { before: 'new ' }))
  await until(async () => (await wordAt(`${origin}/words`)) === 'new cat')
  for (const answer of answers) answer()
  t.equal(await held, 'old held')
})

test('a change that cannot be used is reported with every fault, and the definitions from before are served on', async t => {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const { path, write } = definitionsFolder(t, { 'words.ts': words(upstream.origin, { before: 'good ' }) })
  const { origin, said } = await startService(t, {}, ['serve', path, '--watch'])

  write('more.ts', 'throw new Error("no")')
  t.match(await said('reload failed'), {
    level: 50,
    faults: [`${path}/more.ts:1:7: throws when it is loaded: Error: no`],
  })
  t.equal(await wordAt(`${origin}/words`), 'good cat')

  write('more.ts', words(upstream.origin, { name: 'more', before: 'more ' }))
  t.match(await said('definitions reloaded'), { evaluated: [`${path}/more.ts`] })
  await until(async () => (await wordAt(`${origin}/more`)) === 'more cat')
  t.equal(await wordAt(`${origin}/words`), 'good cat')
  rmSync(join(path, 'words.ts'))
  await until(async () => (await wordAt(`${origin}/words`)) === undefined)
  t.equal(await wordAt(`${origin}/more`), 'more cat')
})

test('a file that definitions import is watched where it is, and so is a folder that is new', async t => {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const lib = definitionsFolder(t, { 'before.ts': "export const before = 'one '" })
  const { path, write } = definitionsFolder(t, {
    'words.ts': words(upstream.origin)
      .replace('import { z }', `import { before } from '${lib.path}/before.ts'\nimport { z }`)
      .replace("word: '' +", 'word: before +'),
  })
  const { origin } = await startService(t, {}, ['serve', join(path, 'words.ts'), path, '--watch'])
  lib.write('before.ts', "export const before = 'two '")
  await until(async () => (await wordAt(`${origin}/words`)) === 'two cat')
  write('new/folder/more.ts', words(upstream.origin, { name: 'more' }))
  await until(async () => (await wordAt(`${origin}/more`)) === 'cat')
})

test('a certificate that a variable names is watched, also while it is missing', async t => {
  const { path, write } = definitionsFolder(t, {
    'words.ts': words('https://words.example')
      .replace(
        "{ origin: 'https://words.example' }",
        "{ origin: 'https://words.example', tls: { ca: env('WORDS_CA') } }",
      )
      .replace('defineUpstream,', 'defineUpstream, env,'),
    'ca/words.pem': selfSigned.cert,
  })
  const ca = join(path, 'ca/words.pem')
  const { saidTimes } = await startService(t, { WORDS_CA: ca }, ['serve', join(path, 'words.ts'), '--watch'])
  await saidTimes('serving', 1)
  rmSync(join(path, 'ca'), { recursive: true })
  t.match((await saidTimes('reload failed', 1))[0], {
    faults: [/^WORDS_CA: must be PEM or the path of a readable file/],
  })
  write('ca/words.pem', selfSigned.cert)
  await saidTimes('definitions reloaded', 1)
  write('ca/words.pem', `${selfSigned.cert}\n`)
  await saidTimes('definitions reloaded', 2)
})

test('on SIGTERM what is under way is answered, and the process ends', async t => {
  const answers: (() => void)[] = []
  const upstream = await rawUpstream(t, socket => {
    answers.push(() => socket.write(json({ word: 'cat' })))
  })
  const { path } = definitionsFolder(t, { 'words.ts': words(upstream.origin) })
  const { origin, stop, said, ended, errors } = await startService(t, {}, ['serve', path, '--watch'])
  const idle = await fetch(`${origin}/health/live`)
  t.equal(idle.status, 200)
  const held = fetch(`${origin}/words`)
  await upstream.asked(1)
  stop('SIGTERM')
  await said('draining')
  for (const answer of answers) answer()
  const response = await held
  t.equal(response.headers.get('connection'), 'close')
  t.match(await response.json(), { data: { word: 'cat' } })
  t.same(await ended, { code: 0, signal: null })
  t.equal(await errors, '')
})
