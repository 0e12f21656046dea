import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test, type Test } from 'tap'
import { scriptedUpstream } from '../../src/testing/index.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { docBlocks } from '../helpers/doc-blocks.ts'

const sources: Readonly<Record<string, string>> = {
  headwaters: 'index.ts',
  'headwaters/app': 'app.ts',
  'headwaters/testing': 'testing/index.ts',
}

/** Writes the programs of a page where they run against the sources, and gives what runs one of them. */
async function write(t: Test, page: string) {
  await mkdir(join(import.meta.dirname, '../../.tap'), { recursive: true })
  const folder = await mkdtemp(join(import.meta.dirname, '../../.tap/docs-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const blocks = docBlocks(page)
  for (const [name, code] of Object.entries(blocks)) {
    await writeFile(
      join(folder, name),
      code.replaceAll(
        /from '(headwaters[^']*)'/g,
        (_, entry: string) => `from '${new URL(`../../src/${sources[entry]}`, import.meta.url).href}'`,
      ),
    )
  }
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    promisify(execFile)(process.execPath, args, { cwd: folder, env: { ...childEnvironment, ...env } })
  return { names: Object.keys(blocks), run }
}

test('the program without a server prints the fact', async t => {
  const { run } = await write(t, 'embedding')
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  upstream.answer('/?count=2', { data: ['They purr.', 'They nap.'] }).status('/', 500)
  const told = await run(['fan-out.ts'], { MEOWFACTS: upstream.origin })
  t.equal(told.stdout, 'They purr.\nThey nap.\ntrue ok\n')
  t.equal(told.stderr, '')
  const failed = await run(['fan-out.ts'], { MEOWFACTS: upstream.origin })
  t.match(failed.stderr, /^UPSTREAM_STATUS .*meowfacts/)
})

test('the app of the docs serves its aggregate and its own route', async t => {
  const { run } = await write(t, 'embedding')
  const { stdout } = await run([
    '--input-type=module',
    '--eval',
    `
    import { app } from './plugin.ts'
    const got = [await app.inject('/hello'), await app.inject({ method: 'DELETE', url: '/api/fact' })]
    console.log(got.map(({ statusCode }) => statusCode).join(' '))
    await app.close()`,
  ])
  t.equal(stdout, '200 405\n')
})

test('the service of the docs listens, is ready and has the route of its aggregate', async t => {
  const { run } = await write(t, 'embedding')
  const { stdout } = await run(
    [
      '--input-type=module',
      '--eval',
      `
    import { app } from './service.ts'
    const { port } = app.server.address()
    const statusOf = async (method, path) => (await fetch('http://127.0.0.1:' + port + path, { method })).status
    console.log(await statusOf('GET', '/health/ready'), await statusOf('DELETE', '/fact'))
    await app.close()`,
    ],
    { PORT: '0' },
  )
  t.match(stdout, /^200 405$/m)
})

test('the tests of the docs pass', async t => {
  const { names, run } = await write(t, 'testing')
  const { stdout } = await run(['--test', '--test-reporter=tap', ...names])
  t.match(stdout, /^# tests 3$/m)
  t.match(stdout, /^# pass 3$/m)
})

test('the layers of the docs sign what is sent and measure what is asked', async t => {
  const { run } = await write(t, 'layers-and-hooks')
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  upstream.status('/balance', 503).answer('/balance', { cents: 7 })
  const { stdout } = await run(
    [
      '--input-type=module',
      '--eval',
      `
    import { bank, runtime } from './signing.ts'
    import { aggregate, fanOut } from '${new URL('../../src/index.ts', import.meta.url).href}'
    import { z } from '${import.meta.resolve('zod')}'
    const balance = aggregate('balance', { url: '/balance' })
      .required('balance', () => bank.balance())
      .reply(z.number(), ({ balance }) => balance.cents)
    console.log((await fanOut(balance, {}, { runtime })).data)
    await runtime.close()`,
    ],
    { BANK: upstream.origin },
  )
  t.match(stdout, /^bank: bank\.balance took [\d.]+ ms\n7\n$/)
  const signatures = upstream.calls.map(({ headers }) => headers['x-signature'])
  t.ok(signatures.every(signature => /^[0-9a-f]{64}$/.test(String(signature))))
  t.equal(new Set(upstream.calls.map(({ headers }) => headers['x-date'])).size, 2, 'each attempt has its own')
})

test('the cache store of the docs keeps an answer until an unsafe call invalidates it', async t => {
  const { run } = await write(t, 'policies')
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  const cached = { headers: { 'cache-control': 'max-age=60' } }
  upstream.answer('GET /cats/7', 'Ada', cached).answer('PUT /cats/7', null).answer('GET /cats/7', 'Eve', cached)
  const { stdout } = await run(
    [
      '--input-type=module',
      '--eval',
      `
    import { runtime } from './cache-store.ts'
    import { aggregate, defineUpstream, fanOut, operation } from '${new URL('../../src/index.ts', import.meta.url).href}'
    import { z } from '${import.meta.resolve('zod')}'
    const cats = defineUpstream('cats', { origin: process.env.CATS }, {
      name: operation({ path: '/cats/7', output: z.string(), cache: true }),
      rename: operation({ method: 'PUT', path: '/cats/7', output: z.null() }),
    })
    const read = aggregate('read', { url: '/read' })
      .required('name', () => cats.name())
      .reply(z.string(), ({ name }) => name)
    const write = aggregate('write', { url: '/write', method: 'POST' })
      .required('done', () => cats.rename())
      .reply(z.null(), ({ done }) => done)
    for (const each of [read, read, write, read, read]) console.log((await fanOut(each, {}, { runtime })).data)
    console.log(runtime.stats().cats.cache.storeFaults)
    await runtime.close()`,
    ],
    { CATS: upstream.origin },
  )
  t.equal(stdout, 'Ada\nAda\nnull\nEve\nEve\n0\n')
  t.equal(upstream.calls.length, 3)
})

test('the hooks of the docs ask who it is, and tell who was answered', async t => {
  const { run } = await write(t, 'layers-and-hooks')
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  upstream.answer('/whoami', { id: 'ada', tenant: 'a' }).status('/whoami', 401).always('/orders?user=ada', ['tea'])
  const { stdout } = await run(
    [
      '--input-type=module',
      '--eval',
      `
    import { account } from './account.ts'
    import { tenant } from './tenant.ts'
    import { createRuntime, fanOut } from '${new URL('../../src/index.ts', import.meta.url).href}'
    const runtime = createRuntime({ layers: { call: [tenant] } })
    for (const headers of [{ authorization: 'Bearer 1' }, { authorization: 'Bearer 2' }, {}]) {
      const { data, headers: given } = await fanOut(account, { headers }, { runtime })
        .catch(({ statusCode, detail }) => ({ data: statusCode, headers: detail }))
      console.log(JSON.stringify(data), JSON.stringify(given))
    }
    await runtime.close()`,
    ],
    { IDENTITY: upstream.origin, SHOP: upstream.origin },
  )
  t.equal(
    stdout,
    'a was answered whole\n{"user":"ada","orders":["tea"]} {"x-tenant":"a"}\n' +
      '401 "This token is not valid."\n401 "Say who you are."\n',
  )
  t.equal(upstream.calls[0]?.headers['authorization'], 'Bearer 1')
  t.equal(upstream.calls[0]?.headers['x-tenant'], undefined)
  t.equal(upstream.calls[1]?.headers['x-tenant'], 'a', 'the layer has added the tenant')
})

test('the merge of the docs ranks in a thread what two shops offer', async t => {
  const { run } = await write(t, 'offload')
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  upstream
    .always('/near', [
      { title: 'Milk', cents: 100 },
      { title: 'Cat food', cents: 300 },
    ])
    .always('/far', [{ title: 'Cat food', cents: 200 }])
  const { stdout } = await run(
    [
      '--eval',
      `
    import { cheapest, search } from './search.ts'
    import { createRuntime, fanOut } from '${new URL('../../src/index.ts', import.meta.url).href}'
    const runtime = createRuntime()
    for (const aggregate of [search, cheapest]) {
      const { data } = await fanOut(aggregate, { query: { words: 'cat' } }, { runtime })
      console.log(JSON.stringify(data))
    }
    await runtime.close()`,
    ],
    { SHOPS: upstream.origin },
  )
  t.equal(
    stdout,
    '{"offers":[{"title":"Cat food","cents":200},{"title":"Cat food","cents":300},{"title":"Milk","cents":100}]}\n' +
      '{"offer":{"title":"Cat food","cents":300}}\n',
  )
})

test('the bundle of the docs has the items of the list up to its limit', async t => {
  const { run } = await write(t, 'options')
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  upstream
    .always('/search?q=tea', { ids: Array.from({ length: 25 }, (_, index) => `i${index}`) })
    .always('/items/{id}', { title: 'Tea' })
  const { stdout } = await run(
    [
      '--eval',
      `
    import { bundle } from './bundle.ts'
    import { createRuntime, fanOut } from '${new URL('../../src/index.ts', import.meta.url).href}'
    const runtime = createRuntime()
    const { data, complete, sources } = await fanOut(bundle, { query: { q: 'tea' } }, { runtime })
    console.log(data.length, complete, sources.details.state, sources.details.omitted)
    await runtime.close()`,
    ],
    { SHOP: upstream.origin },
  )
  t.equal(stdout, '20 false partial 5\n')
})

test('the order of the docs keeps every digit of its ids', async t => {
  const { run } = await write(t, 'numbers')
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  upstream.always('/orders/9007199254740993', { id: 9007199254740993n, customer: 9223372036854775807n })
  const { stdout } = await run(
    [
      '--eval',
      `
    import { order } from './orders.ts'
    import { createRuntime, fanOut } from '${new URL('../../src/index.ts', import.meta.url).href}'
    const runtime = createRuntime()
    const { data } = await fanOut(order, { params: { id: '9007199254740993' } }, { runtime })
    console.log(data)
    await runtime.close()`,
    ],
    { SHOP: upstream.origin },
  )
  t.equal(stdout, '{ id: 9007199254740993n, customer: 9223372036854775807n }\n')
})
